"""What may be said: Liquid templates, rendered within fixed bounds of work, memory and time."""
