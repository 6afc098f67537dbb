"""Raw files of public datasets, and the clean tables made of them."""
