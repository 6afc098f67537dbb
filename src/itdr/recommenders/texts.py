"""Answers that are text, learnt from training examples: attributes of users, nearest texts."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from itdr.errors import DataError
from itdr.evaluation.answers.attributes import reference_attributes

MOST_VALUES = 100
"""Values of one attribute that can be answered; rarer ones are never right."""


class AttributeModel:
    """Each attribute of a user by a linear model on the words and lines of the input.

    Categories: logistic regression (penalty 1) over the most frequent 100 values. Numbers: ridge
    regression, its penalty of 0.1, 1, 10, 100 by leave-one-out error, within the range that was
    learnt from. Features: TF-IDF with logarithmic counts, of words and of whole lines without the
    number behind them, that is of the items shown. Both as scikit-learn has them.
    """

    def __init__(self, names: Sequence[str], numeric: Collection[str]) -> None:
        """Take the attributes in the order of the answer, and those that are numbers."""
        self._names, self._numeric = names, numeric

    def fit(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Learn from examples.

        Raises:
            DataError: no output has an attribute.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression, RidgeCV

        self._vectorizer = TfidfVectorizer(analyzer=_features, sublinear_tf=True)
        matrix = self._vectorizer.fit_transform(inputs)
        rows: dict[str, list[int]] = defaultdict(list)
        values: dict[str, list[str]] = defaultdict(list)
        for row, output in enumerate(outputs):
            for name, value in reference_attributes(output, self._names, self._numeric).items():
                rows[name].append(row)
                values[name].append(value)
        if not values:
            raise DataError("no training output holds an attribute as name:value.")
        self._models: dict[str, Any] = {}
        for name in (name for name in self._names if name in values):
            known = matrix[rows[name]]
            if name in self._numeric:
                numbers = np.array(values[name], float)
                model = RidgeCV([0.1, 1, 10, 100]).fit(known, numbers)
                self._models[name] = model, numbers.min(), numbers.max()
            else:
                frequent = _most_frequent(values[name])
                kept = [place for place, value in enumerate(values[name]) if value in frequent]
                if len(frequent) == 1:
                    self._models[name] = next(iter(frequent))
                else:
                    kept_values = [values[name][place] for place in kept]
                    self._models[name] = LogisticRegression(max_iter=1000).fit(
                        known[kept], kept_values
                    )

    def answer(self, text: str) -> str:
        """Return "name:value, ..." for an input."""
        row = self._vectorizer.transform([text])
        return ", ".join(f"{name}:{_value(model, row)}" for name, model in self._models.items())


class NearestText:
    """The output of the training example whose input is most alike, by cosine of TF-IDF vectors.

    Of equally near ones the first counts.
    """

    def fit(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Keep the examples."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(sublinear_tf=True)
        self._matrix = self._vectorizer.fit_transform(inputs)
        self._outputs = list(outputs)

    def answer(self, text: str) -> str:
        """Return the nearest example's output for an input."""
        likeness = self._matrix @ self._vectorizer.transform([text]).T
        return self._outputs[int(likeness.toarray().argmax())]


def _features(text: str) -> list[str]:
    """Return the words of a text and its lines, a line without the number behind its colon."""
    lines = [line.rpartition(":")[0] if line.rpartition(":")[2].isdigit() else line
             for line in text.lower().splitlines()]  # fmt: skip
    words = [word.strip(".,;:()\"'") for line in lines for word in line.split()]
    return [*(f"line {line}" for line in lines), *filter(None, words)]


def _most_frequent(values: Sequence[str]) -> set[str]:
    counts = Counter(values)
    return set(sorted(counts, key=lambda value: (-counts[value], value))[:MOST_VALUES])


def _value(model: Any, row: Any) -> str:
    if isinstance(model, str):
        return model
    if isinstance(model, tuple):
        ridge, low, high = model
        return f"{float(np.clip(ridge.predict(row)[0], low, high)):.1f}"
    return str(model.predict(row)[0])
