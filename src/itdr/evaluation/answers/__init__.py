"""Reading the answers of a model: strictly as asked for, and leniently."""

from itdr.evaluation.answers.parsed import Form, ParsedAnswer, Reading

__all__ = ["Form", "ParsedAnswer", "Reading"]
