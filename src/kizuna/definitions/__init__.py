"""As code: takes definitions as documents, says how they differ from what rules and whom that moves, publishes them."""
