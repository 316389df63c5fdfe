"""PostgreSQL, the lake, child processes, telemetry: the machines below the product."""
