"""Why, and why not: the facts, rules and values that led to a membership, a run or a message, or prevented it."""
