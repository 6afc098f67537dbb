"""Turning sampled items into the text of an example."""

from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from itdr.errors import SettingsError
from itdr.settings.task import DatasetTemplate, TaskSettings

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_ITEM = {"item_id": "1", "title": "A", "categories": ["B"], "rating": 1.0, "plays": 1}


class _Template:
    """A Jinja2 text that names its place in errors."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        try:
            self._template = _ENVIRONMENT.from_string(text)
        except TemplateError as error:
            raise SettingsError(f"{where}: {error}") from error

    def render(self, values: dict[str, Any]) -> str:
        try:
            return self._template.render(values).strip()
        except TemplateError as error:
            raise SettingsError(
                f"{self._where}: {error}. An example has history, target or candidates, "
                "attributes; an item has item_id, title, categories, rating, plays."
            ) from error


class ExampleText:
    """Writes the input and the output of the examples of one task and dataset."""

    def __init__(self, task: TaskSettings, dataset: str) -> None:
        """Read the template and try it out.

        Raises:
            SettingsError: the template is no Jinja2, or uses a field that examples do not have.
        """
        self._task = task
        self._of = task.of(dataset)
        file = f"config/tasks/{task.task}.yaml"
        self._template = _Template(self._of.template, f"{file}: template of {dataset}")
        self._teacher = _Template(task.teacher_prompt or "", f"{file}: teacher_prompt")
        # A wrong field shall be found here, not after an hour of sampling.
        self.teacher_prompt({"history": [_ITEM], "target": _ITEM, "candidates": [_ITEM]})

    def input(self, example: dict[str, Any]) -> str:
        """Return what is asked.

        Raises:
            SettingsError: the template uses a field that the example does not have.
        """
        return self._template.render(self._values(example))

    def teacher_prompt(self, example: dict[str, Any]) -> str | None:
        """Return what a teacher is asked for the output; None where it needs no teacher.

        Raises:
            SettingsError: the template uses a field that the example does not have.
        """
        text = self._teacher.render(self._values(example) | {"input": self.input(example)})
        return text if self._task.teacher_prompt else None

    def _values(self, example: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: [self._shown(item) for item in example[name]]
            for name in ("history", "candidates")
            if name in example
        }
        if "target" in example:
            values["target"] = self._shown(example["target"])
        return values | {"attributes": self._of.attributes}

    def output(self, example: dict[str, Any]) -> str | None:
        """Return the right answer in the form asked for; None where a teacher gives it."""
        match self._task.answer:
            case "number":
                return _rating_text(example["target"]["rating"], self._of)
            case "ranked_list":
                # Within the true ones, and within the others, the order is that of the list shown:
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

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        rating = item["rating"]
        return item | {"rating": None if rating is None else _rating_text(rating, self._of)}


def _rating_text(rating: float, of: DatasetTemplate) -> str:
    return f"{rating:.{of.decimals}f}"
