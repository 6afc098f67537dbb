"""The LoRA adapters that the authors have published: found, checked, mapped to our base models."""
