"""Calls: a list that people work through, and what came of each."""
