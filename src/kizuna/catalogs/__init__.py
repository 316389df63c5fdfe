"""Catalogs: tables of things that mails speak of, and selections of them by name."""
