"""Turning sampled items into the text of an example."""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from itdr.errors import SettingsError
from itdr.instructions.prose import one_line, sentences, spaced
from itdr.settings.task import DatasetTemplate, TaskSettings

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_ENVIRONMENT.filters |= {"one_line": one_line, "sentences": sentences, "spaced": spaced}

_ITEM = {"item_id": "1", "title": "A", "categories": ["B"], "rating": 1.0, "plays": 1}
_OPINION = _ITEM | {"liked": True, "review_title": "C", "review": "D."}
_DESCRIBED = {"item_id": "1", "title": "A", "categories": ["B"], "description": "C.",
              "creator": "D", "year": 1990, "price": 1.0, "attributes": {"e": "F"}}  # fmt: skip
_REVIEW = {"title": "C", "text": "D.", "rating": 1.0}
_LISTS = {"history": [_ITEM], "candidates": [_ITEM]}

_TRIALS: dict[str, dict[str, Any]] = {
    "rating": {"history": [_ITEM], "target": _ITEM},
    "next_items": _LISTS,
    "cross_domain": _LISTS
    | {"source_history": [_ITEM], "source_domain": "E", "target_domain": "F"},
    "liked_items": {"history": [_ITEM]},
    "opinions": {"history": [_OPINION]},
    "described_items": {"item": _DESCRIBED, "reviews": [_REVIEW]},
}
"""An example of each kind of sampling: the fields that a template can use."""

_UNKNOWN: dict[str, Any] = dict.fromkeys(
    ("rating", "plays", "liked", "review_title", "description", "creator", "year", "price")
) | {"categories": [], "attributes": {}, "reviews": []}
"""What a field is where the source does not tell."""


class _Template:
    """A Jinja2 text that names its place in errors."""

    def __init__(self, text: str, where: str, fields: str) -> None:
        self._where, self._fields = where, fields
        try:
            self._template = _ENVIRONMENT.from_string(text)
        except TemplateError as error:
            raise SettingsError(f"{where}: {error}") from error

    def render(self, values: Mapping[str, Any]) -> str:
        try:
            return self._template.render(values).strip()
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise SettingsError(f"{self._where}: {error}. {self._fields}") from error


class ExampleText:
    """Writes the input and the output of the examples of one task and dataset."""

    def __init__(self, task: TaskSettings, dataset: str) -> None:
        """Read the template and try it out.

        Raises:
            SettingsError: the template is no Jinja2, or uses a field that examples do not have.
        """
        self._task = task
        self._of = task.of(dataset)
        trial = _TRIALS[task.sampling.kind]
        fields = _fields_of(trial)
        file = f"config/tasks/{task.task}.yaml"
        self._template = _Template(self._of.template, f"{file}: template of {dataset}", fields)
        self._teacher = _Template(task.teacher_prompt or "", f"{file}: teacher_prompt", fields)
        # A wrong field shall be found here, not after an hour of sampling.
        for example in (trial, _emptied(trial)):
            self.teacher_prompt(example, self.input(example))

    def input(self, example: dict[str, Any]) -> str:
        """Return what is asked.

        Raises:
            SettingsError: the template uses a field that the example does not have.
        """
        return self._template.render(self._values(example))

    def teacher_prompt(self, example: dict[str, Any], asked: str) -> str | None:
        """Return what a teacher is asked for the output; None where it needs no teacher.

        asked: the example's input, which the template can use as `input`.

        Raises:
            SettingsError: the template uses a field that the example does not have.
        """
        if self._task.teacher_prompt is None:
            return None
        return self._teacher.render(self._values(example) | {"input": asked})

    def _values(self, example: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that the template can use, with ratings as text."""
        known = {name: self._shown(example[name]) for name in _TRIALS[self._task.sampling.kind]}
        return known | {"attributes": self._of.attributes}

    def output(self, example: dict[str, Any]) -> str | None:
        """Return the right answer in the form asked for; None where a teacher gives it."""
        match self._task.answer:
            case "number":
                return _rating_text(example["target"]["rating"], self._of)
            case "ranked_list":
                # Within the positives, and within the others, the order is that of the list shown:
                # any other order could not be worked out from the input.
                true_ids = {item["item_id"] for item in example["positives"]}
                ranked = sorted(
                    example["candidates"], key=lambda item: item["item_id"] not in true_ids
                )
                titles = [item["title"] for item in ranked]
                return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, 1))
            case "title":
                return str(example["positives"][0]["title"])
            case "attributes":
                return ", ".join(f"{name}:{value}" for name, value in example["attributes"].items())
            case "text":
                return None

    def _shown(self, value: Any) -> Any:
        """Return an item, or each item of a list, with its rating as text."""
        if isinstance(value, list):
            return [self._shown(part) for part in value]
        if isinstance(value, dict) and value.get("rating") is not None:
            return value | {"rating": _rating_text(value["rating"], self._of)}
        return value


def _rating_text(rating: float, of: DatasetTemplate) -> str:
    return f"{rating:.{of.decimals}f}"


def _emptied(value: Any) -> Any:
    """Return a trial of which nothing is known that a source may leave out."""
    if isinstance(value, list):
        return [_emptied(part) for part in value]
    if isinstance(value, dict):
        return {name: _UNKNOWN[name] if name in _UNKNOWN else _emptied(part)
                for name, part in value.items()}  # fmt: skip
    return value


def _fields_of(trial: Mapping[str, Any]) -> str:
    """Return in words what a template can use."""
    words = []
    for name, value in trial.items():
        parts = value[0] if isinstance(value, list) else value
        words.append(f"{name} ({', '.join(parts)})" if isinstance(parts, dict) else name)
    return f"Here a template can use {', '.join(words)} and attributes."
