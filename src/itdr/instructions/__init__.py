"""From clean tables to instruction examples and training mixtures."""
