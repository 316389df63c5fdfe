"""Kizuna: a self-hosted customer engagement platform; a customer is a pure fold over their own history."""

__version__ = "0.1.0"
