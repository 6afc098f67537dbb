"""How much there is to do: examples, tokens and raw files of an experiment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from itdr.errors import SettingsError
from itdr.models.folder import cached_folder, is_cached
from itdr.models.parameters import counted_billions, named_billions
from itdr.planning.workflow import Workflow
from itdr.settings.dataset import DatasetSettings, load_dataset
from itdr.settings.rates import Rates

Pair = tuple[str, str]


@dataclass(frozen=True)
class Sizes:
    """Sizes of one experiment.

    Attributes:
        workflow: the experiment.
        rates: stated rates.
        statistics: task and dataset to its row of the paper's statistics.csv.
        audit: the content of audit.json, whose counts and lengths replace the published ones;
            empty where there is none.
    """

    workflow: Workflow
    rates: Rates
    statistics: Mapping[Pair, Mapping[str, Any]]
    audit: Mapping[str, Any] = field(default_factory=dict)

    def examples(self, pair: Pair) -> float:
        """Return the examples of all parts of a task and dataset."""
        for cell in self.audit.get("cells", ()):
            if (cell["task"], cell["dataset"]) == pair:
                return float(cell["train"] + cell["val"] + cell["test"])
        limit = self.workflow.experiment.build.of(pair[0]).max_examples
        stated = float(self.workflow.tasks[pair[0]].of(pair[1]).examples)
        return min(stated, limit) if limit else stated

    def tokens(self, pair: Pair) -> tuple[float, float]:
        """Return the mean tokens of a prompt and of an answer."""
        for entry in self.audit.get("lengths", ()):
            if (entry["task"], entry["dataset"]) == pair and "mean_prompt" in entry:
                return entry["mean_prompt"], entry["mean_answer"]
        rows = [self.statistics[pair]] if pair in self.statistics else self._alike(pair[0])
        if not rows:
            return self.rates.unknown_prompt_tokens, self.rates.unknown_answer_tokens
        asked, answered = (
            sum(row[name] for row in rows) / len(rows)
            for name in ("mean_input_tokens", "mean_output_tokens")
        )
        return asked + self.rates.overhead_tokens, answered

    def is_published(self, pair: Pair) -> bool:
        """Return whether the paper or this run's audit says how long the examples are."""
        return pair in self.statistics or any(
            (entry["task"], entry["dataset"]) == pair for entry in self.audit.get("lengths", ())
        )

    def _alike(self, task: str) -> list[Mapping[str, Any]]:
        """Return the published rows of a task on other datasets."""
        return [row for (name, _), row in self.statistics.items() if name == task]

    def training_examples(self, variant: str) -> float:
        """Return the examples of a variant's mixture."""
        return sum(self._taken(variant, pair) for pair in self.workflow.cells_of(variant))

    def training_tokens(self, variant: str) -> float:
        """Return the tokens of all passes over a variant's mixture."""
        pairs = self.workflow.cells_of(variant)
        tokens = sum(self._taken(variant, pair) * sum(self.tokens(pair)) for pair in pairs)
        return tokens * self.workflow.training(variant).epochs

    def rows(self, pair: Pair) -> float:
        """Return the test rows that are answered."""
        experiment = self.workflow.experiment
        return min(experiment.inference.rows_per_cell,
                   experiment.split.shares[2] * self.examples(pair))  # fmt: skip

    def answering(self, pairs: Sequence[Pair] = ()) -> tuple[float, float, float]:
        """Return the rows answered of some pairs, and the tokens of their prompts and answers.

        Without pairs, those of a whole column.
        """
        rows = [(self.rows(pair), *self.tokens(pair)) for pair in pairs or self.workflow.cells]
        return (sum(n for n, _, _ in rows), sum(n * prompt for n, prompt, _ in rows),
                sum(n * answer for n, _, answer in rows))  # fmt: skip

    def is_downloaded(self, dataset: str) -> bool:
        """Return whether a dataset's raw files come over the network."""
        workflow = self.workflow
        is_local = dataset in workflow.local_folders or self._source(dataset).kind == "folder"
        return not is_local

    def _source(self, dataset: str) -> DatasetSettings:
        """Return what is known of a dataset, also of one that the experiment does not name."""
        found = self.workflow.datasets.get(dataset)
        return found or load_dataset(dataset, self.workflow.folders)

    def raw_mb(self, dataset: str) -> tuple[float, float, bool]:
        """Return the MB to download and to keep, and whether every size is known."""
        own = self.workflow.own_files(dataset)
        if own:
            return 0.0, _mb(Path(path).stat().st_size for path in own), True
        source = self._source(dataset)
        files = [file for file in source.files if file.needed]
        held = {file.archive for file in files}
        archives = [archive for archive in source.archives if archive.name in held]
        fetched = [*archives, *(file for file in files if file.archive is None)]
        known = all(item.bytes for item in fetched)
        download = _mb(item.bytes for item in fetched)
        kept = max(_mb(file.bytes for file in files) + _mb(a.bytes for a in archives), download)
        if not known:
            download = max(download, source.at_least_mb or self.rates.unknown_dataset_mb)
            kept = max(kept, download)
        return download, kept, known

    def billions(self, model: str) -> float:
        """Return the parameters of a model in billions.

        Raises:
            SettingsError: neither its file, nor weights that are here, nor its name tells them.
        """
        found = self.told_billions(model)[0]
        if not found:
            raise SettingsError(
                f"config/models/{model}.yaml: state 'billions', the model's parameters in billions."
            )
        return found

    def told_billions(self, model: str) -> tuple[float, str]:
        """Return the parameters of a model in billions, 0 if nothing tells them, and what does."""
        from huggingface_hub.constants import HF_HUB_CACHE

        settings = self.workflow.models[model]
        if settings.billions:
            return settings.billions, "its file"
        folder = (
            Path(settings.source)
            if settings.is_local
            else cached_folder(settings.source, settings.revision, Path(HF_HUB_CACHE))
        )
        if folder and (counted := counted_billions(folder)):
            return counted, "its weights"
        return named_billions(settings.source), f"its name, {settings.source}"

    def weights_mb(self, model: str) -> float:
        """Return the MB to download of a base model, in 16 bits; 0 where it is here."""
        from huggingface_hub.constants import HF_HUB_CACHE

        settings = self.workflow.models[model]
        here = settings.is_local or is_cached(
            settings.source, settings.revision, Path(HF_HUB_CACHE), settings.chat_template
        )
        return 0.0 if here else 2000 * self.billions(model)

    def _taken(self, variant: str, pair: Pair) -> float:
        """Return the rows that a variant takes of a task and dataset."""
        chosen, shares = self.workflow.variants[variant], self.workflow.experiment.split.shares
        return chosen.rows or chosen.share * shares[0] * self.examples(pair)


def _mb(sizes: Iterable[int | None]) -> float:
    return sum(size or 0 for size in sizes) / 1e6
