"""Shelves: what the sender laid ready for a customer in the shop's own pages, given to their browser and heard back."""
