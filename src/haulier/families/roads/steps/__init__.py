"""The steps of a job: prepare the customer's roads, match tile by tile, write what is wanted."""
