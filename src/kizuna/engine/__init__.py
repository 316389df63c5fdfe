"""Runs the folds: batches, timers, offsets, one transaction a batch; knows no slice."""
