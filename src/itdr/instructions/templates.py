"""Turning sampled items into the text of an example."""

from collections.abc import Callable, Mapping
from typing import Any

from itdr.errors import SettingsError
from itdr.instructions.prose import one_line, sentences, spaced
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS, SAMPLING_KINDS
from itdr.rendering.template import Template, TemplateFaultError

_FILTERS: dict[str, Callable[..., str]] = {
    "one_line": one_line,
    "sentences": sentences,
    "spaced": spaced,
}

_UNKNOWN: dict[str, Any] = dict.fromkeys(
    ("rating", "plays", "liked", "review_title", "description", "creator", "year", "price")
) | {"categories": [], "attributes": {}, "reviews": []}
"""What a field is where the source does not tell."""


class _Template:
    """A Jinja2 text that names its place in errors."""

    def __init__(self, text: str, where: str, fields: str) -> None:
        self._where, self._fields = where, fields
        try:
            self._template = Template(text, filters=_FILTERS)
        except TemplateFaultError as error:
            raise SettingsError(f"{where}: {error}.") from error

    def render(self, values: Mapping[str, Any]) -> str:
        try:
            return self._template.render(values).strip()
        except TemplateFaultError as error:
            raise SettingsError(f"{self._where}: {error}. {self._fields}") from error


class ExampleText:
    """Writes the input and the output of the examples of one task and dataset."""

    def __init__(self, task: TaskSettings, dataset: str) -> None:
        """Read the template and try it out.

        Raises:
            SettingsError: the template is no Jinja2, or uses a field that examples do not have.
        """
        self._task, self._dataset = task, dataset
        self._of = task.of(dataset)
        trial = SAMPLING_KINDS[task.sampling.kind].trial
        self._fields = tuple(trial)
        fields = _fields_of(trial)
        file = f"tasks/{task.task}.yaml"
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
        known = {name: self._shown(example[name]) for name in self._fields}
        return known | {"attributes": self._of.attributes}

    def output(self, example: dict[str, Any]) -> str | None:
        """Return the right answer in the form asked for; None where a teacher gives it."""
        kind = ANSWER_KINDS[self._task.answer]
        text: str | None = kind.write(example, self._task, self._dataset)
        return text

    def _shown(self, value: Any) -> Any:
        """Return an item, or each item of a list, with its rating as text."""
        if isinstance(value, list):
            return [self._shown(part) for part in value]
        if isinstance(value, dict) and value.get("rating") is not None:
            return value | {"rating": self._of.rating_text(value["rating"])}
        return value


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
