"""One message to many: a campaign's definition, its launch in chunks, its part of the fold, and what came of it."""
