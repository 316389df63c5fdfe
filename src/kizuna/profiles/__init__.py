"""Who: one live profile per person, its identities and traits, joined through the log."""
