"""Turning sampled items into the text of an example."""

from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from itdr.errors import SettingsError
from itdr.settings.task import DatasetTemplate, TaskSettings

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_ITEM = {"item_id": "1", "title": "A", "categories": ["B"], "rating": 1.0, "plays": 1}


class ExampleText:
    """Writes the input and the output of the examples of one task and dataset."""

    def __init__(self, task: TaskSettings, dataset: str) -> None:
        """Read the template and try it out.

        Raises:
            SettingsError: the template is no Jinja2, or uses a field that examples do not have.
        """
        self._task = task
        self._of = task.of(dataset)
        self._where = f"config/tasks/{task.task}.yaml: template of {dataset}"
        try:
            self._template = _ENVIRONMENT.from_string(self._of.template)
        except TemplateError as error:
            raise SettingsError(f"{self._where}: {error}") from error
        # A wrong field shall be found here, not after an hour of sampling.
        self.input({"history": [_ITEM], "target": _ITEM, "candidates": [_ITEM]})

    def input(self, example: dict[str, Any]) -> str:
        """Return what is asked.

        Raises:
            SettingsError: the template uses a field that the example does not have.
        """
        values: dict[str, Any] = {
            name: [self._shown(item) for item in example[name]]
            for name in ("history", "candidates")
            if name in example
        }
        if "target" in example:
            values["target"] = self._shown(example["target"])
        try:
            return self._template.render(values, attributes=self._of.attributes).strip()
        except TemplateError as error:
            raise SettingsError(
                f"{self._where}: {error}. An example has history, target or candidates, "
                "attributes; an item has item_id, title, categories, rating, plays."
            ) from error

    def output(self, example: dict[str, Any]) -> str:
        """Return the right answer in the form that the task asks for."""
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
            case _:
                return ""

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        rating = item["rating"]
        return item | {"rating": None if rating is None else _rating_text(rating, self._of)}


def _rating_text(rating: float, of: DatasetTemplate) -> str:
    return f"{rating:.{of.decimals}f}"
