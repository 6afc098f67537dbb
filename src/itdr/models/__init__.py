"""What training and inference share about language models."""
