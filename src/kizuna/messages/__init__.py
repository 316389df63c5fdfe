"""What is said to one customer: grants in the fold, delivers once, takes reports; appends `message_*`."""
