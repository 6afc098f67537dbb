"""Fine-tuning adapters, and making the tiny model."""
