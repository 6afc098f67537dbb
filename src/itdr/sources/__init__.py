"""From the raw files of 13 public datasets to the same three clean tables."""
