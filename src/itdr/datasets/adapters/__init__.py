"""One module for each raw format that a mapping of columns cannot describe."""
