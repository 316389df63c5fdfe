"""Fills in history: who was there before a rule was published is judged by what they did before it."""
