"""From raw files, of the public datasets or of your own, to the same three clean tables."""
