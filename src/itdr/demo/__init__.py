"""What the demo needs instead of downloads: a simulated world, a tiny model, a teacher by rules."""
