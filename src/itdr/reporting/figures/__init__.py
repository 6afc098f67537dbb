"""The figures: each a module with a function registered under its name in FIGURES."""
