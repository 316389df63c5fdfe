"""Letters: batches of what is printed, codes that come back, and what the post returned."""
