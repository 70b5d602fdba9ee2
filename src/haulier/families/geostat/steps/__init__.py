"""The steps of a job: prepare, work, publish, report; each joins files and method."""
