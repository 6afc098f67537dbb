"""The authors' released files as examples: a second way in beside rebuilding them."""
