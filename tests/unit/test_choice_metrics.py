"""Metrics of choices: by hand, against scikit-learn, and through a file of predictions."""

import json
from math import exp, inf, log

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from itdr.errors import DataError
from itdr.evaluation.comparisons import compare_columns
from itdr.evaluation.likelihoods import auc, calibration_error, probabilities, reliability
from itdr.evaluation.metrics.rankings import hit_at_k, hits_of_scores, ndcg_at_k
from itdr.evaluation.reliability import RELIABILITY_COLUMNS, write_reliability
from itdr.evaluation.score import score, score_cells
from itdr.evaluation.seeds import score_seeds
from itdr.instructions.record import PREDICTION
from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData
from itdr.reporting.figures.style import save, styled
from itdr.reporting.results import Results
from itdr.reporting.run import load_run
from itdr.settings.paper import Layout
from itdr.settings.scoring import ScoringSettings

QUICK = ScoringSettings(resamples=200)
METRICS = ["auc", "auc-user", "gauc", "accuracy", "log-loss", "ece@5", "auc-per-token"]
TASK = {
    "task": "LIKE", "title": "Like", "version": 1, "description": "Will it be liked?",
    "sampling": {"kind": "rating", "history": 10, "min_history": 3}, "answer": "choice",
    "choices": ["Yes.", "No."], "metrics": METRICS,
    "datasets": {"films": {"examples": 9, "template": "{{ target.title }}", "liked": 4}},
}  # fmt: skip


# Formulas


def test_auc_is_the_share_of_pairs_in_order():
    # Of 2 x 3 pairs: .9 beats all, .4 beats .1, ties with .4, loses against .6.
    value = auc(np.array([0.9, 0.4, 0.6, 0.4, 0.1]), np.array([1, 1, 0, 0, 0], bool))
    assert value(np.ones(5)) == pytest.approx((3 + 1 + 0.5) / 6)
    assert value(np.array([0, 1, 1, 1, 1.0])) == pytest.approx(1.5 / 3)
    assert np.isnan(value(np.array([1, 1, 0, 0, 0.0])))


def test_auc_agrees_with_scikit_learn_however_often_examples_count():
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = int(rng.integers(4, 40))
        scores, positive = rng.integers(0, 9, size) / 8.0, rng.random(size) < 0.5
        positive[:2] = True, False
        times = rng.integers(0, 3, size).astype(float)
        times[:2] = 1
        expected = roc_auc_score(positive, scores, sample_weight=times)
        assert auc(scores, positive)(times) == pytest.approx(expected)


def test_probabilities_are_the_softmax():
    assert probabilities([log(0.2), log(0.05)]) == pytest.approx([0.8, 0.2])
    assert probabilities([-1000.0, -inf]).tolist() == [1.0, 0.0]


def test_calibration_by_hand():
    sure, right = np.array([0.6, 0.5, 0.9, 1.0, 0.95]), np.array([1, 0, 1, 1, 0.0])
    count, mean, share = reliability(sure, right, np.ones(5), 5)
    # Bins end at .2, .4, .6, .8 and 1; a bin holds its upper end.
    assert count.tolist() == [0, 0, 2, 0, 3]
    assert mean[[2, 4]] == pytest.approx([0.55, 0.95])
    assert share[[2, 4]] == pytest.approx([0.5, 2 / 3])
    expected = 2 / 5 * 0.05 + 3 / 5 * (0.95 - 2 / 3)
    assert calibration_error(sure, right, np.ones(5), 5) == pytest.approx(expected)
    assert calibration_error(sure, right, np.array([1, 0, 0, 0, 0.0]), 5) == pytest.approx(0.4)


def test_equally_likely_choices_share_their_ranks():
    assert hits_of_scores([-1.0, -2.0, -1.0, -3.0], 2) == [0.5, 0.5, 0, 0]
    assert hit_at_k(hits_of_scores([-1.0] * 10, 4), 3) == pytest.approx(0.3)
    rng = np.random.default_rng(6)
    for _ in range(200):
        scores = rng.integers(0, 4, 6).astype(float)
        right = int(rng.integers(0, 6))
        hits = hits_of_scores(scores, right)
        expected = ndcg_score([np.arange(6) == right], [scores], k=3)  # takes means over ties, too
        assert ndcg_at_k(hits, 1, 3) == pytest.approx(expected)


# Files


def task_file(folder, **changes):
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks" / "LIKE.yaml").write_text(yaml.safe_dump(TASK | changes), encoding="utf-8")
    return [folder]


def row(number, yes, right="Yes.", user="u", tokens=(2, 2)):
    """Return a prediction; yes: the probability of the first choice, None where not answered."""
    choices = yes is not None and [
        {"text": text, "logprob": log(p) if p else -inf, "tokens": count, "greedy": False}
        for text, p, count in zip(("Yes.", "No."), (yes, 1 - yes), tokens, strict=True)
    ]
    return {"id": f"{number:03}", "task": "LIKE", "dataset": "films", "answer": "",
            "finish_reason": "stop" if choices else "skipped", "reference": right,
            "user_id": user, "choices": choices or None}  # fmt: skip


def write(path, rows, schema=PREDICTION):
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def scored(folder, rows, settings=QUICK, **changes):
    folders = task_file(folder, **changes)
    found = score(write(folder / "p.parquet", rows), folders, settings)
    return found[found["reading"] == "strict"].set_index("metric")


def many(users=12, seed=1):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        generous = rng.normal()
        for _ in range(int(rng.integers(3, 12))):
            liked = rng.random() < 1 / (1 + exp(-generous))
            yes = 1 / (1 + exp(-(generous + liked + rng.normal())))
            rows.append(row(len(rows), yes, "Yes." if liked else "No.", f"u{user}"))
    return rows


def test_a_file_has_the_values_of_scikit_learn(tmp_path):
    rows = many()
    found = scored(tmp_path, rows)
    true = np.array([one["reference"] == "Yes." for one in rows])
    yes = np.array([exp(one["choices"][0]["logprob"]) for one in rows])
    users = np.array([one["user_id"] for one in rows])
    of = {user: users == user for user in dict.fromkeys(users)
          if len(set(true[users == user])) == 2}  # fmt: skip
    own = [roc_auc_score(true[at], yes[at]) for at in of.values()]
    assert 2 < len(of) < 12
    assert found.value["auc"] == pytest.approx(roc_auc_score(true, yes))
    assert found.value["auc-user"] == pytest.approx(np.mean(own))
    weights = [at.sum() for at in of.values()]
    assert found.value["gauc"] == pytest.approx(np.average(own, weights=weights))
    assert found.value["accuracy"] == pytest.approx(np.mean((yes > 0.5) == true))
    assert found.value["log-loss"] == pytest.approx(log_loss(true, yes))
    assert found.value["auc-per-token"] == pytest.approx(found.value["auc"]), "as many tokens each"
    assert found.loc["ece@5", ["ci_low", "ci_high"]].isna().all(), "resamples are worse calibrated"
    sure = found.drop("ece@5")
    assert (sure.ci_low < sure.value).all() and (sure.value < sure.ci_high).all()
    assert found.signature["ece@5"] == "bins:5|width:equal|logprob:sum|drawn:users"


def test_users_are_drawn_with_all_of_their_examples(tmp_path):
    """Ten copies of each example tell no more about users than one."""
    rows = many(30)
    copies = [one | {"id": f"{one['id']}-{copy}"} for one in rows for copy in range(10)]
    width = {}
    for name, some in (("one", rows), ("ten", copies)):
        found = scored(tmp_path, some)
        width[name] = found.ci_high - found.ci_low
        # Without users, copies look like news.
        nobody = [one | {"user_id": None} for one in some]
        alone = scored(tmp_path, nobody, metrics=["auc", "accuracy"])
        width[f"{name}, examples"] = alone.ci_high - alone.ci_low
        assert alone.signature["auc"].endswith("drawn:examples")
    for metric in ("auc", "accuracy", "log-loss"):
        assert width["ten"][metric] == pytest.approx(width["one"][metric], rel=0.01)
    for metric in ("auc", "accuracy"):
        assert width["ten, examples"][metric] < 0.5 * width["one, examples"][metric]


def test_per_token_divides_by_the_tokens_of_each_choice(tmp_path):
    # Sums: Yes .5, No .5 x .8. Per token ln(.5) / 1 < ln(.4) / 4.
    rows = [row(1, 0.5, tokens=(1, 4)), row(2, 0.5, "No.", tokens=(1, 4))]
    for one in rows:
        one["choices"][1]["logprob"] = log(0.4)
    found = scored(tmp_path, rows, metrics=["accuracy", "log-loss", "log-loss-per-token"])
    assert found.value["log-loss"] == pytest.approx(-(log(5 / 9) + log(4 / 9)) / 2)
    odds = 0.5, 0.4 ** (1 / 4)
    expected = -sum(log(one / sum(odds)) for one in odds) / 2
    assert found.value["log-loss-per-token"] == pytest.approx(expected)
    assert found.signature["log-loss-per-token"] == "logprob:per token|drawn:users"
    rows[0]["choices"][0]["tokens"] = None
    with pytest.raises(DataError, match="id '001': column 'choices': 'tokens' is null; log-loss"):
        scored(tmp_path, rows, metrics=["log-loss-per-token"])


@pytest.mark.parametrize("right", ["Yes.", "No."])
def test_auc_of_one_class_is_missing_and_says_why(tmp_path, right):
    found = scored(tmp_path, [row(n, n / 10, right) for n in range(1, 8)])
    for metric in ("auc", "auc-user", "gauc"):
        assert np.isnan(found.loc[metric, ["value", "ci_low", "ci_high"]].astype(float)).all()
    assert found.problem["auc"].startswith(f"{right!r} is right in every example, and AUC compares")
    assert found.problem["gauc"] == "no user has examples of both classes"
    assert found.value[["accuracy", "log-loss"]].notna().all()
    assert (found.problem[["accuracy", "log-loss", "ece@5"]] == "").all()


def test_auc_within_users_needs_users(tmp_path):
    rows = [row(1, 0.3, user=None), row(2, 0.2, "No."), row(3, 0.9)]
    found = scored(tmp_path, rows)
    assert found.problem["auc-user"] == "'user_id' is missing in 1 of 3 examples"
    assert np.isnan(found.value["auc-user"]) and found.value["auc"] == 1.0


def test_an_answer_that_never_came_loses_every_comparison_or_is_left_out(tmp_path):
    rows = [row(1, 0.9), row(2, None), row(3, 0.2, "No."), row(4, None, "No.")]
    found = scored(tmp_path, rows)
    assert found.value["auc"] == 0.25, "of four pairs only the one that was answered"
    assert found.value["accuracy"] == 0.5
    assert found.value["log-loss"] == pytest.approx(-(log(0.9) + log(0.8)) / 2)
    assert found.n_unreadable.tolist() == [2] * len(METRICS)
    left = scored(tmp_path, rows, ScoringSettings(resamples=200, unreadable="left-out"))
    assert left.value["auc"] == left.value["accuracy"] == 1.0


def test_candidates_are_ranked_by_their_likelihoods(tmp_path):
    titles = ["Heat", "Alien", "Fargo"]

    def ranked(number, logprobs, right):
        choices = [
            {"text": t, "logprob": p, "tokens": 1} for t, p in zip(titles, logprobs, strict=True)
        ]
        return row(number, 0.5, right) | {"choices": choices, "candidates": titles}  # fmt: skip

    rows = [ranked(1, (-1, -2, -3), "Alien"), ranked(2, (-1, -5, -1), "Fargo")]
    found = scored(tmp_path, rows, choices="candidates",
                   metrics=["hit@1", "hit@2", "ndcg@3", "accuracy"])  # fmt: skip
    assert found.value["hit@1"] == found.value["accuracy"] == pytest.approx((0 + 0.5) / 2)
    assert found.value["hit@2"] == 1.0
    assert found.value["ndcg@3"] == pytest.approx((3 / (2 * np.log2(3)) + 0.5) / 2)


def test_seeds_have_the_mean_of_their_values_and_one_interval(tmp_path):
    folders = task_file(tmp_path)
    first = many()
    second = [one | {"choices": row(0, 0.3 + 0.4 * (n % 2))["choices"]}
              for n, one in enumerate(first)]  # fmt: skip
    files = [write(tmp_path / f"{seed}.parquet", rows) for seed, rows in ((1, first), (2, second))]
    merged = score_seeds(files, folders, QUICK).set_index(["reading", "metric"]).loc["strict"]
    alone = [score(path, folders, QUICK).set_index(["reading", "metric"]).loc["strict"]
             for path in files]  # fmt: skip
    for metric in METRICS:
        values = [one.value[metric] for one in alone]
        assert merged.value[metric] == pytest.approx(np.mean(values))
        assert (merged.lowest[metric], merged.highest[metric]) == (min(values), max(values))
        assert (
            metric == "ece@5"
            or merged.ci_low[metric] < merged.value[metric] < merged.ci_high[metric]
        )


def test_comparisons_swap_users_with_all_of_their_examples(tmp_path):
    """Ten copies of each example make a difference no surer than one."""
    folders = task_file(tmp_path, metrics=["accuracy", "log-loss", "auc"])
    rng = np.random.default_rng(8)
    first = many(20)
    second = [one | {"choices": row(0, float(rng.random()))["choices"]} for one in first]
    found = {}
    for times in (1, 10):
        files = {
            name: write(
                tmp_path / f"{name}-{times}.parquet",
                [one | {"id": f"{one['id']}-{k}"} for one in rows for k in range(times)],
            )
            for name, rows in (("a", first), ("b", second))
        }
        table = compare_columns(files, folders, ScoringSettings(permutations=2000))
        found[times] = table[table["reading"] == "strict"].set_index("metric")
    assert set(found[1].index) == {"accuracy", "log-loss"}, "AUC has no examples to swap"
    for column in ("difference", "first_value", "ci_low", "ci_high", "p_value"):
        assert found[10][column].tolist() == pytest.approx(found[1][column].tolist())
    assert found[1].n["accuracy"] == len(first) and found[10].n["accuracy"] == 10 * len(first)


# From elsewhere


def test_json_lines_need_no_more_than_texts_and_log_probabilities(tmp_path):
    folders = task_file(tmp_path, metrics=["auc", "log-loss"])
    lines = [row(1, 0.8), row(2, 0.3, "No.")]
    for line in lines:
        line["choices"] = [{"text": choice["text"], "logprob": choice["logprob"]}
                           for choice in reversed(line["choices"])]  # fmt: skip
    path = tmp_path / "elsewhere.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    few = pa.list_(pa.struct([("logprob", pa.float64()), ("text", pa.string())]))
    place = PREDICTION.get_field_index("choices")
    schema = PREDICTION.set(place, pa.field("choices", few))
    parquet = write(tmp_path / "elsewhere.parquet", lines, schema)
    for file in (path, parquet):
        found = score(file, folders, QUICK)
        assert found["value"].tolist()[:2] == pytest.approx([1.0, -(log(0.8) + log(0.7)) / 2])


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([("Yes.", -1.0)], r"found \['Yes.'\]; each of \['Yes.', 'No.'\] is needed once"),
        ([("Yes.", -1.0), ("No", -1.0)], r"found \['Yes.', 'No'\]"),
        ([("Yes.", -1.0), ("No.", -1.0), ("No.", -2.0)], "is needed once"),
        ([("Yes.", None), ("No.", -1.0)], "the logprob of 'Yes.' is None; a number is needed"),
        ([("Yes.", float("nan")), ("No.", -1.0)], "the logprob of 'Yes.' is nan"),
        ([("Yes.", -inf), ("No.", -inf)], "every logprob is -inf"),
    ],
)
def test_likelihoods_that_cannot_be_scored_are_named(tmp_path, choices, message):
    rows = [row(1, 0.5), row(2, 0.5)]
    rows[1]["choices"] = [{"text": text, "logprob": logprob} for text, logprob in choices]
    with pytest.raises(DataError, match=rf"row 2 \(id '002'\): column 'choices': .*{message}"):
        scored(tmp_path, rows)


def test_a_reference_that_is_no_choice_is_named(tmp_path):
    with pytest.raises(DataError, match=r"row 1 .*'reference': 'Maybe' is none of the choices"):
        scored(tmp_path, [row(1, 0.5, "Maybe")])


def test_every_example_can_be_looked_at(tmp_path):
    folders = task_file(tmp_path)
    silent = row(2, None, "No.") | {"finish_reason": "stop"}
    path = write(tmp_path / "p.parquet", [row(1, 0.0), silent])
    from itdr.evaluation.rows import write_rows

    write_rows(tmp_path / "rows.parquet", score_cells(path, folders, QUICK))
    first, second = (
        one for one in pq.read_table(tmp_path / "rows.parquet").to_pylist()
        if one["metric"] == "accuracy" and one["reading"] == "strict"
    )  # fmt: skip
    assert json.loads(first["read"]) == {"Yes.": None, "No.": 0.0}
    assert (second["read"], second["problem"]) == ("null", "no log-probabilities")


# Reliability


def test_reliability_is_a_file_and_a_figure(tmp_path):
    folders = task_file(tmp_path)
    sure = [0.95, 0.95, 0.05, 0.55]  # of No. twice: .95 and, at .05, Yes. is not what is chosen
    rows = [row(n, yes, right, f"u{n % 2}") for n, (yes, right) in enumerate(
        zip(sure, ("Yes.", "No.", "No.", "Yes."), strict=True))]  # fmt: skip
    run = tmp_path / "run"
    for variant, of in (("base", rows), ("tuned", rows[::-1])):
        path = write(tmp_path / f"{variant}.parquet", of)
        out = run / "scores" / "m" / variant / "42.reliability.csv"
        write_reliability(out, score_cells(path, folders, QUICK), QUICK)
    found = pd.read_csv(out)
    assert tuple(found.columns) == RELIABILITY_COLUMNS
    assert found[["bin_low", "bin_high", "n"]].to_numpy().tolist() == [[0.5, 0.6, 1], [0.9, 1, 3]]
    assert found["confidence"].tolist() == pytest.approx([0.55, 0.95])
    assert found["right"].tolist() == pytest.approx([1, 2 / 3], abs=1e-6)
    data = FigureData(Results(), Layout(), (), reliability=load_run(run).reliability)
    with styled():
        figure = FIGURES["reliability"].draw(data)
        save(figure, tmp_path / "reliability")
    shown = {text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))}
    assert {"LIKE films", "m base", "m tuned"} <= shown


def test_seeds_share_the_bins_and_other_answers_have_none(tmp_path):
    folders = task_file(tmp_path)
    scored_files = [
        scores
        for seed, yes in enumerate((0.65, 0.65, 0.85))
        for scores in score_cells(
            write(tmp_path / f"{seed}.parquet", [row(1, yes), row(2, None)]), folders, QUICK
        )
    ]
    write_reliability(tmp_path / "r.csv", scored_files, QUICK)
    assert pd.read_csv(tmp_path / "r.csv")["n"].tolist() == [2, 1]
    write_reliability(tmp_path / "none.csv", [], QUICK)
    assert pd.read_csv(tmp_path / "none.csv").empty
