"""Answers of other servers that templates draw from: what is asked, under which bounds, and what came back, once."""
