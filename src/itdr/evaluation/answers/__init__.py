"""Reading the answers of a model: strictly as asked for, and leniently."""

from itdr.evaluation.answers.answer import Answer, Form, Reading

__all__ = ["Answer", "Form", "Reading"]
