"""Ids, clock, errors, exact JSON: what every part leans on. No I/O."""
