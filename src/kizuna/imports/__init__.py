"""History from files: takes rows by a map, says them to the log, keeps those it cannot take with their reasons."""
