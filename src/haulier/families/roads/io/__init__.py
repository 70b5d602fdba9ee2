"""Files of the road family: what customers send, what Overture publishes, what a job gives."""
