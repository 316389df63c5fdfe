"""Promotions: pools of codes that mails give out, each to one customer, and that shops redeem."""
