"""ITDR: an instruction-tuning dataset for recommendation, rebuilt from its public sources."""

__version__ = "0.1.0"
