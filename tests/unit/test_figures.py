"""The figures: what each shows, that none fails on little data, and that bytes repeat."""

import re
from dataclasses import replace

import numpy as np
import pytest

from itdr.instructions.audit.lengths import EDGES
from itdr.instructions.tasks import load_tasks
from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import draw_all
from itdr.reporting.figures.style import save, styled
from itdr.reporting.results import Score, load_results
from itdr.reporting.run import Loss
from itdr.reporting.statistics import published_statistics
from itdr.settings.paper import NO_PAPER, load_paper
from tests.conftest import ROOT

PAPER = load_paper(ROOT / "config/papers/itdr")
LAYOUT = PAPER.layout
RESULTS = load_results(PAPER)
STATISTICS = published_statistics(PAPER.folder)
TASKS = load_tasks(RESULTS.tasks)
OF_RUNS_ALONE = {"differences", "losses", "tasks", "reliability"}


def published():
    return FigureData(RESULTS, LAYOUT, STATISTICS, TASKS)


def run(columns, shift=0.01):
    """Return a run whose values are the published ones of GLM-4-9B, moved a little."""
    scores = {
        column: {
            key: Score(value.value + shift, value.value, value.value + 2 * shift, 250, 0)
            for key, value in RESULTS.published["glm-4-9b", column[1]].items()
        }
        for column in columns
    }
    results = replace(RESULTS, scores=scores)
    histogram = [0] * (len(EDGES) - 1)
    histogram[12] = 100
    lengths = [{"model": "glm-4-9b", "task": "RP", "histogram": histogram, "cut_off": 2048}]
    losses = {columns[-1]: [Loss(step, 3 / step) for step in range(1, 50)]}
    return FigureData(results, LAYOUT, STATISTICS, TASKS, {("RP", "yelp"): 100}, lengths, losses)


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


def drawn(name, data):
    with styled():
        return FIGURES[name].draw(data)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - OF_RUNS_ALONE))
def test_published_values_alone_make_a_figure(name):
    assert drawn(name, published()).axes


@pytest.mark.parametrize("name", sorted(OF_RUNS_ALONE))
def test_a_figure_without_data_says_what_is_missing(name):
    missing = "no value of ours|no adapter was trained|no scores of a run|no choices were scored"
    with pytest.raises(NothingToDrawError, match=missing):
        drawn(name, published())


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_model_of_ones_own_makes_every_figure_or_a_reason(name):
    data = run([("my-model", "base"), ("my-model", "itdr")])
    try:
        assert drawn(name, data).axes
    except NothingToDrawError as reason:
        whys = {"differences": "no value of ours", "reliability": "no choices were scored"}
        assert whys[name] in str(reason)


def test_ours_stands_beside_the_published_value():
    data = run([("glm-4-9b", v) for v in ("base", "itdr", "wo-uii", "wo-uiu")], shift=0.0)
    words = texts(drawn("tuning", data))
    assert {"43.9", "70.4", "ours", "paper"} <= set(words)
    cells = [text for text in texts(drawn("root-ablation", data)) if "paper" in text]
    assert len(cells) == 8
    assert "paper 68.9" in {cell.split("\n")[-1] for cell in cells}


def test_the_sankey_gives_every_node_its_count():
    words = texts(drawn("sankey", published()))
    assert "Paper: 195,065 examples" in words
    assert "TKR  42,776\nTop-K Recommendation" in words
    assert "Last.FM 1K  943" in words
    assert any(
        "Ours: 100 examples" in word for word in texts(drawn("sankey", run([("x", "base")])))
    )


def test_the_forest_plot_marks_values_outside_our_interval():
    data = run([("glm-4-9b", "itdr")], shift=0.01)
    figure = drawn("differences", data)
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len(points) == 98 and np.allclose([p.get_xdata()[0] for p in points], 0.01)
    assert all(point.get_markerfacecolor() != "white" for point in points)
    missed = drawn("differences", run([("glm-4-9b", "itdr")], shift=-0.01))
    points = [line for line in missed.axes[0].lines if line.get_marker() == "o"]
    assert all(point.get_markerfacecolor() == "white" for point in points)


def test_the_same_data_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(drawn("closed-source", published()), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_without_a_paper_a_figure_is_drawn_or_says_what_it_lacks(tmp_path):
    key = ("MINE", "own-films", "rmse")
    scores = {("tiny", v): {key: Score(1.0, 0.9, 1.1, 50, 0)} for v in ("base", "tuned")}
    data = FigureData(replace(load_results(NO_PAPER), scores=scores), NO_PAPER.layout, [])
    listed = draw_all(data, sorted(FIGURES), tmp_path / "figures")
    drawn = [entry["name"] for entry in listed if not entry["missing"]]
    assert drawn == ["main", "tasks"]
    assert set(NO_PAPER.layout.figures) <= set(FIGURES)


def test_all_figures_are_listed_with_the_reason_where_one_is_missing(tmp_path):
    listed = draw_all(published(), ("tuning", "losses"), tmp_path / "figures")
    assert [(entry["name"], entry["missing"]) for entry in listed] == [
        ("tuning", ""), ("losses", "no adapter was trained")]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "figures").glob("[!.]*")) == [
        "figures.json", "tuning.png", "tuning.svg"]  # fmt: skip


def test_tasks_at_a_glance_show_means_over_datasets_and_the_best_baseline():
    """RMSE of 1 and 2 is 1.5 in the mean; the best baselines have 0.9 and 1.1, in the mean 1."""
    keys = [("RP", "yelp", "rmse"), ("RP", "bookcrossing", "rmse")]

    def scores(*values):
        return {key: Score(v, v, v, 50, 0) for key, v in zip(keys, values, strict=True)}

    found = replace(RESULTS, scores={("glm-4-9b", "itdr"): scores(1, 2), ("trivial", "a"):
                                     scores(0.9, 3), ("trivial", "b"): scores(3, 1.1)})  # fmt: skip
    said = texts(drawn("tasks", FigureData(found, LAYOUT, [], TASKS)))
    assert {"1.500", "1.000", "Rating Prediction", "RMSE, lower is better"} <= set(said)


def test_every_figure_of_simulated_data_says_so(tmp_path):
    """Taller by the line in which they say it; their words are drawn as paths."""
    data = run([("glm-4-9b", "base"), ("glm-4-9b", "itdr")])
    heights = []
    for simulated in (False, True):
        out = tmp_path / str(simulated)
        draw_all(replace(data, simulated=simulated), ["main", "losses"], out)
        heights.append([float(re.search(r'height="([0-9.]+)pt"', file.read_text())[1])
                        for file in sorted(out.glob("*.svg"))])  # fmt: skip
    assert [after - before for before, after in zip(*heights, strict=True)] == pytest.approx(
        [14.4, 14.4], abs=0.1
    )
