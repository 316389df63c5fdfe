"""Builders and worlds for tests, shipped so that plugin authors test as we do."""
