"""The examples in the forms that other tools read."""
