"""Language models behind an endpoint: requests, retries, limits, the log of answers."""
