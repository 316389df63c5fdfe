"""History for questions: Delta tables of each workspace, read by DuckDB together with the log's tail."""
