"""What survives a crash: jobs, steps, files and keys; the only place that knows DBOS and SQL."""
