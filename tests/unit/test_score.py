"""From a file of predictions to scores: values by hand, the order, and every refusal."""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from itdr.cli import main
from itdr.cli import score as command
from itdr.errors import DataError, ItdrError, MissingFileError, SettingsError
from itdr.evaluation.comparisons import COMPARISON_COLUMNS, column_names, compare_columns
from itdr.evaluation.rows import ROWS
from itdr.evaluation.score import SCORE_COLUMNS, score, unreadable_cells, write_scores
from itdr.evaluation.seeds import SEED_COLUMNS, score_seeds
from itdr.files.checksums import check_sidecar
from itdr.instructions.record import PREDICTION
from itdr.provenance import Maker
from itdr.settings.scoring import ScoringSettings
from tests.conftest import ROOT

QUICK = ScoringSettings(resamples=100)
ANSWERS = {
    "RP": "number",
    "TKR": "ranked_list",
    "NIR": "title",
    "UAP": "attributes",
    "IR": "text",
}
METRICS = {
    "RP": ["rmse"],
    "TKR": ["ndcg@10", "hit@1", "precision@5"],
    "NIR": ["hit@1"],
    "UAP": ["accuracy:gender", "rmse:age"],
    "IR": ["bleu-1", "bleu-2", "rouge-1", "rouge-2", "rouge-l"],
}
DATASETS = {
    "RP": {"movielens-32m": {"scale": [0.5, 5]}, "yelp": {"scale": [1, 5]}},
    "TKR": {"movielens-32m": {}},
    "NIR": {"movielens-32m": {}},
    "UAP": {"lastfm-1k": {"attributes": ["gender", "age"], "ranges": {"age": [1, 110]}}},
    "IR": {"steam": {}},
}


@pytest.fixture
def folders(tmp_path):
    folder = tmp_path / "config" / "tasks"
    folder.mkdir(parents=True)
    for task, answer in ANSWERS.items():
        datasets = {
            name: {"examples": 1, "template": "x"} | more for name, more in DATASETS[task].items()
        }
        settings = {
            "task": task,
            "title": task,
            "version": 1,
            "description": "Do.",
            "sampling": {"kind": "rating", "history": 1, "min_history": 1},
            "answer": answer,
            "teacher_prompt": "Write." if answer == "text" else None,
            "max_answer_tokens": 8,
            "metrics": METRICS[task],
            "datasets": datasets,
        }
        (folder / f"{task}.yaml").write_text(yaml.safe_dump(settings))
    return [folder.parent]


def row(task, number, answer, reference="4", dataset=None, **more):
    dataset = dataset or next(iter(DATASETS[task]))
    return {
        "id": f"{task}/{dataset}/{number:03}",
        "task": task,
        "dataset": dataset,
        "answer": answer,
        "finish_reason": "stop",
        "reference": reference,
    } | more


def choice(task, number, answer, candidates="ABCD", targets="AB"):
    return row(task, number, answer, "A", candidates=list(candidates), targets=list(targets))


def listed(titles):
    return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, start=1))


def write(path, rows, schema=PREDICTION):
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def scored(tmp_path, folders, rows, settings=QUICK):
    table = score(write(tmp_path / "p.parquet", rows), folders, settings)
    assert tuple(table.columns) == SCORE_COLUMNS
    return table.set_index(["task", "dataset", "reading", "metric"]).sort_index()


def test_the_page_in_docs_names_every_column():
    page = (ROOT / "docs" / "reference" / "predictions-and-scores.md").read_text(encoding="utf-8")
    types = {"list<element: string>": "list of strings", "list<item: string>": "list of strings"}
    types[str(PREDICTION.field("choices").type)] = "list of objects"
    lines = [
        f"| `{field.name}` | {types.get(str(field.type), field.type)} "
        f"| {'yes' if field.nullable else 'no'} |"
        for field in PREDICTION
    ]
    found = [line for line in page.splitlines() if line.count("|") > 4 and line[2] == "`"]
    assert [line[: len(own)] for line, own in zip(found, lines, strict=True)] == lines
    assert all(f"`{name}`" in page for name in (*SEED_COLUMNS, *SCORE_COLUMNS))


# Values


def test_rmse_leaves_out_what_it_cannot_read_and_midpoint_fills_it(tmp_path, folders):
    rows = [row("RP", 1, "4"), row("RP", 2, "Rating: 2"), row("RP", 3, "no idea")]
    found = scored(tmp_path, folders, rows)
    strict, lenient = (found.loc["RP", "movielens-32m", name] for name in ("strict", "lenient"))
    assert strict.value["rmse"] == 0.0
    assert strict.value["rmse-midpoint"] == pytest.approx(((1.25**2) * 2 / 3) ** 0.5)
    assert lenient.value["rmse"] == pytest.approx((4 / 2) ** 0.5)
    assert strict.n.tolist() == [3, 3]
    assert strict.n_unreadable["rmse"] == 2
    assert lenient.rate_unreadable["rmse"] == pytest.approx(1 / 3)
    assert np.isnan(strict.rate_missing["rmse"])


def test_rmse_is_empty_when_nothing_can_be_read(tmp_path, folders):
    found = scored(tmp_path, folders, [row("RP", 1, "?"), row("RP", 2, "")])
    strict = found.loc["RP", "movielens-32m", "strict"]
    assert np.isnan(strict.loc["rmse", ["value", "ci_low", "ci_high"]].astype(float)).all()
    assert strict.value["rmse-midpoint"] == pytest.approx(1.25)


def test_rankings_by_hand(tmp_path, folders):
    rows = [
        choice("TKR", 1, listed("ABCD")),
        choice("TKR", 2, listed("CABD")),
        choice("TKR", 3, "A"),
    ]
    found = scored(tmp_path, folders, rows)
    strict, lenient = (found.loc["TKR", "movielens-32m", name] for name in ("strict", "lenient"))
    ideal = 1 + 1 / np.log2(3)
    second = (1 / np.log2(3) + 1 / 2) / ideal
    assert strict.value["ndcg@10"] == pytest.approx((1 + second) / 3)
    # The third answer names A alone; repaired, B, C and D follow in the order shown.
    assert lenient.value["ndcg@10"] == pytest.approx((1 + second + 1 / ideal) / 3)
    assert lenient.value["ndcg@10-repaired"] == pytest.approx((1 + second + 1) / 3)
    assert strict.value["hit@1"] == pytest.approx(1 / 3)
    assert lenient.value["hit@1"] == pytest.approx(2 / 3)
    assert strict.value["precision@5"] == pytest.approx((2 / 5 + 2 / 5) / 3)
    assert lenient.rate_missing["hit@1"] == pytest.approx(1 / 3)


def test_lists_count_as_given_and_repaired_ones_stand_beside_them(tmp_path, folders):
    rows = [choice("TKR", 1, "1. Z\n2. A\n3. C\n3. A")]
    ideal = 1 + 1 / np.log2(3)
    # Repaired: A, C, then B and D in the order shown. As given: an unknown title, A, C.
    gains = {"ndcg@10-repaired": 1 + 1 / np.log2(4), "ndcg@10": 1 / np.log2(3)}
    strict = scored(tmp_path, folders, rows).loc["TKR", "movielens-32m", "strict"]
    for name, gain in gains.items():
        assert strict.value[name] == pytest.approx(gain / ideal)
        assert strict.rate_duplicated[name] == strict.rate_missing[name] == 1
        assert strict.rate_out_of_list[name] == 1
    assert (strict.value["hit@1"], strict.value["hit@1-repaired"]) == (0, 1)


def test_unreadable_answers_can_be_left_out(tmp_path, folders):
    rows = [choice("NIR", 1, "A"), choice("NIR", 2, "who knows")]
    wrong = scored(tmp_path, folders, rows).loc["NIR", "movielens-32m", "strict"]
    settings = ScoringSettings(resamples=100, unreadable="left-out")
    left_out = scored(tmp_path, folders, rows, settings).loc["NIR", "movielens-32m", "strict"]
    assert wrong.value["hit@1"] == 0.5
    assert left_out.value["hit@1"] == 1.0
    assert left_out.n["hit@1"] == 2
    assert left_out.rate_out_of_list["hit@1"] == 0.5


def test_an_example_that_was_not_asked_counts_as_unreadable(tmp_path, folders):
    found = scored(tmp_path, folders, [row("RP", 1, "4", finish_reason="skipped")])
    assert found.n_unreadable.tolist() == [1, 1, 1, 1]


def test_attributes_by_hand(tmp_path, folders):
    rows = [
        row("UAP", 1, "gender:F, age:20", "gender:F, age:30"),
        row("UAP", 2, "Gender: m, Age: 40", "gender:M, age:50"),
        row("UAP", 3, "gender:F", "gender:F"),
    ]
    found = scored(tmp_path, folders, rows)
    strict, lenient = (found.loc["UAP", "lastfm-1k", name] for name in ("strict", "lenient"))
    assert strict.value["accuracy:gender"] == pytest.approx(2 / 3)
    assert lenient.value["accuracy:gender"] == 1.0
    assert strict.value["rmse:age"] == 10.0
    assert strict.n["rmse:age"] == 2
    assert strict.n_unreadable["rmse:age"] == 1
    # The second age is filled with 40, the middle of 30 and 50.
    assert strict.value["rmse-midpoint:age"] == 10.0


def test_texts_are_scored(tmp_path, folders):
    found = scored(
        tmp_path, folders, [row("IR", 1, "likes jazz", "likes jazz"), row("IR", 2, "", "a b")]
    )
    assert found.value.tolist() == pytest.approx([0.5] * 10)
    assert found.n_unreadable.tolist() == [1] * 10


def test_a_task_can_ask_for_what_others_compute(tmp_path, folders):
    path = folders[0] / "tasks" / "IR.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["metrics"] += ["bleu-corpus-2", "bleu-nltk-2", "rouge-package-l"]
    path.write_text(yaml.safe_dump(settings))
    rows = [
        row("IR", 1, "a b c d", "a b c e"),
        row("IR", 2, "", "x y z"),
        row("IR", 3, "x y", "x y"),
    ]
    found = scored(tmp_path, folders, rows).loc["IR", "steam", "strict"]
    # Of 6 words 5 are shared, of 4 pairs 3; 6 words where 9 are expected.
    expected = np.exp(1 - 9 / 6) * np.sqrt(5 / 6 * 3 / 4)
    assert found.value["bleu-corpus-2"] == pytest.approx(expected)
    assert found.ci_low["bleu-corpus-2"] <= expected <= found.ci_high["bleu-corpus-2"]
    assert found.value["bleu-nltk-2"] == pytest.approx((np.sqrt(3 / 4 * 2 / 3) + 0 + 1) / 3)
    assert found.value["rouge-package-l"] == pytest.approx((3 / 4 + 0 + 1) / 3)
    assert "sacrebleu" not in found.signature["rouge-l"] and "rougeL" in found.signature["rouge-l"]
    assert "tok:13a" in found.signature["bleu-2"] and "nltk" in found.signature["bleu-nltk-2"]
    settings["metrics"] = ["bleu-9"]
    path.write_text(yaml.safe_dump(settings))
    with pytest.raises(ItdrError, match="unknown metric 'bleu-9'"):
        scored(tmp_path, folders, rows)


def many(count=40):
    rng = random.Random(1)
    rows = [row("RP", at, str(rng.choice([3, 4, 5, "?"])), "4") for at in range(count)]
    rows += [row("RP", at, "3", "2", dataset="yelp") for at in range(count)]
    return rows + [choice("TKR", at, listed(rng.sample("ABCD", 4))) for at in range(count)]


def test_tasks_stand_by_id_and_datasets_as_in_the_file_of_the_task(tmp_path, folders):
    rows = [row("IR", 1, "a", "a"), *many(2), choice("NIR", 1, "A")]
    found = score(write(tmp_path / "p.parquet", rows), folders, QUICK)
    cells = found[["task", "dataset"]].drop_duplicates().itertuples(index=False)
    assert [tuple(cell) for cell in cells] == [
        ("IR", "steam"), ("NIR", "movielens-32m"), ("RP", "movielens-32m"), ("RP", "yelp"),
        ("TKR", "movielens-32m"),
    ]  # fmt: skip
    rated = found[found["dataset"] == "yelp"]
    assert rated.reading.tolist() == ["strict", "strict", "lenient", "lenient"]
    assert rated.metric[:2].tolist() == ["rmse", "rmse-midpoint"]


def test_scores_do_not_depend_on_the_order_of_rows_or_on_other_cells(tmp_path, folders):
    rows = many()
    whole = score(write(tmp_path / "p.parquet", rows), folders, QUICK)
    shuffled = random.Random(2).sample(rows, len(rows))
    pd.testing.assert_frame_equal(
        score(write(tmp_path / "p.parquet", shuffled), folders, QUICK), whole
    )
    alone = [one for one in rows if one["task"] == "TKR"]
    pd.testing.assert_frame_equal(
        score(write(tmp_path / "p.parquet", alone), folders, QUICK),
        whole[whole.task == "TKR"].reset_index(drop=True),
    )


def test_domains_are_pooled(tmp_path, folders):
    rows = [row("RP", 1, "4", domain="a"), row("RP", 2, "4", domain="b")]
    assert scored(tmp_path, folders, rows).n.tolist() == [2, 2, 2, 2]


def test_the_tasks_of_the_repository_can_be_scored(tmp_path):
    rows = [row("RP", 1, "4.0"), choice("TKR", 1, listed("ABCD")), choice("NIR", 1, "A")]
    found = score(write(tmp_path / "p.parquet", rows), [ROOT / "config"], QUICK)
    assert set(found.task) == {"RP", "TKR", "NIR"}


# Files


def test_jsonl_and_missing_optional_columns_will_do(tmp_path, folders):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in many(3)))
    pd.testing.assert_frame_equal(
        score(path, folders, QUICK), score(write(tmp_path / "p.parquet", many(3)), folders, QUICK)
    )


def test_scores_say_what_gave_the_answers(tmp_path, folders):
    maker = Maker("vllm", "glm-4-9b", "a" * 40, "b" * 64, 42).columns
    rows = [row("RP", n, "4", **maker) for n in range(3)]
    path = write(tmp_path / "p.parquet", rows)
    for name, value in maker.items():
        assert set(score(path, folders, QUICK)[name]) == {str(value)}
    others = [one | {"seed": 43, "adapter": "c" * 64} for one in rows]
    both = score_seeds([path, write(tmp_path / "q.parquet", others)], folders, QUICK)
    assert set(both["seed"]) == {"42 | 43"} and set(both["model"]) == {"glm-4-9b"}
    assert set(both["adapter"]) == {f"{'b' * 64} | {'c' * 64}"}
    silent = score(write(tmp_path / "s.parquet", many(3)), folders, QUICK)
    assert set(silent["engine"]) == set(silent["seed"]) == {""}


def test_a_cell_of_which_nothing_can_be_read_is_a_warning_that_says_what_to_do(tmp_path, folders):
    rows = [row("RP", n, "It was good.") for n in range(1200)]
    rows += [row("RP", n, "Rating: 4", dataset="yelp") for n in range(3)]
    rows += [row("NIR", 1, "no", candidates=["A"], targets=["A"]), choice("TKR", 1, listed("AB"))]
    warnings = unreadable_cells(score(write(tmp_path / "p.parquet", rows), folders, QUICK))
    assert [text.partition(" can")[0] for text in warnings] == [
        "none of the 1 answers to NIR/movielens-32m",
        "none of the 1,200 answers to RP/movielens-32m",
        "none of the 3 answers to RP/yelp",
    ]
    assert "the lenient reading reads 3 of them" in warnings[2]
    assert "the lenient" not in warnings[1]
    assert all("'itdr score --rows FILE' says of each why" in text for text in warnings)


def test_csv_appears_whole(tmp_path, folders):
    found = score(write(tmp_path / "p.parquet", many(3)), folders, QUICK)
    write_scores(tmp_path / "new" / "scores.csv", found)
    read = pd.read_csv(tmp_path / "new" / "scores.csv")
    said = [name for name in found if found[name].dtype == "str"]
    read[said] = read[said].astype("str").fillna("")  # an empty cell is read as no value
    pd.testing.assert_frame_equal(read, found, check_dtype=False, atol=1e-6)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["scores.csv", "scores.csv.sha256"]


WRONG_ROWS = {
    "unknown task": (row("RP", 2, "4") | {"task": "RPP"}, "row 2 .*'task': unknown task 'RPP'"),
    "unknown dataset": (
        row("RP", 2, "4", dataset="movielens-32"), "row 2 .*Did you mean 'movielens-32m'"
    ),
    "dataset without template": (row("RP", 2, "4", dataset="mind"), "row 2 .*no template"),
    "reference no number": (row("RP", 2, "4", "four"), "row 2 .*'reference': 'four' is not"),
    "reference out of scale": (row("RP", 2, "4", "7"), "row 2 .*from 0.5 to 5"),
    "no candidates": (row("TKR", 2, "A"), "row 2 .*'candidates': found None"),
    "empty title": (choice("TKR", 2, "A", ["A", " "], "A"), "row 2 .*none of them null or empty"),
    "target not among candidates": (
        choice("NIR", 2, "A", "AB", "Z"), "row 2 .*'targets': 'Z' is not among the candidates"
    ),
    "absurd truth": (row("UAP", 2, "x", "age:1002"), "row 2 .*age is not from 1 to 110"),
    "no attribute": (row("UAP", 2, "x", "hobby:chess"), "row 2 .*none of the attributes gender"),
    "empty text": (row("IR", 2, "x", " "), "row 2 .*'reference' is empty"),
    "duplicate id": (row("RP", 1, "5"), "row 2: column 'id': .* stands in row 1 too"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_wrong_row_is_refused_by_its_number(tmp_path, folders, wrong, message):
    path = write(tmp_path / "p.parquet", [row("RP", 1, "4"), wrong])
    with pytest.raises(DataError, match=message) as raised:
        score(path, folders, QUICK)
    assert str(path) in str(raised.value)


def test_a_wrong_file_is_refused_by_its_column(tmp_path, folders):
    path = tmp_path / "p.parquet"
    with pytest.raises(MissingFileError):
        score(path, folders, QUICK)
    with pytest.raises(DataError, match="no rows"):
        score(write(path, []), folders, QUICK)
    nullable = pa.schema(field.with_nullable(True) for field in PREDICTION)
    with pytest.raises(DataError, match="row 2: column 'answer' is null"):
        score(write(path, [row("RP", 1, "4"), row("RP", 2, None)], nullable), folders, QUICK)
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(DataError, match="no column 'task'"):
        score(path, folders, QUICK)
    table = pa.Table.from_pylist([choice("TKR", 1, "A") | {"candidates": "A;B"}])
    pq.write_table(table, path)
    with pytest.raises(DataError, match="column 'candidates' holds string; list"):
        score(path, folders, QUICK)
    spoilt = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    good = pa.Table.from_pylist([row("RP", 1, "4")])
    place = good.column_names.index("answer")
    pq.write_table(good.set_column(place, "answer", spoilt), path)
    with pytest.raises(DataError, match=r"not a whole Parquet file .*Invalid UTF8"):
        score(path, folders, QUICK)
    write(path, [row("RP", 1, "4")])
    path.write_bytes(path.read_bytes().replace(b"answer", b"\xffnswer"))
    with pytest.raises(DataError, match=r"not a whole Parquet file .*codec can't decode"):
        score(path, folders, QUICK)
    twice = good.append_column("id", good["id"])
    pq.write_table(twice, path)
    with pytest.raises(DataError, match=r"not a whole Parquet file \(Multiple matches for .*id"):
        score(path, folders, QUICK)
    path.write_bytes(b"PAR1 cut short")
    with pytest.raises(DataError, match="not a whole Parquet file"):
        score(path, folders, QUICK)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "row 1: "),
        ("[]", "row 1: holds a list"),
        ("{}", "row 1: no column 'id'"),
        (json.dumps(row("RP", 1, 4)), "row 1: column 'answer'"),
        ("[" * 100_000, "row 1: nested too deeply"),
        (json.dumps(row("RP", 1, "4")) + "\n\xff", "row 2: 'utf-8' codec can't decode"),
        (json.dumps(row("RP", 1, "\ud800")), "row 1: .*surrogates not allowed"),
    ],
)
def test_a_wrong_line_of_jsonl_is_refused(tmp_path, folders, line, message):
    path = tmp_path / "p.jsonl"
    path.write_bytes(line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match=message):
        score(path, folders, QUICK)


def test_the_command_writes_the_table_and_refuses_wrong_settings(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "p.parquet", many(3))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = ["--predictions", str(path), "--out", str(tmp_path / "s.csv")]
    command.run(parser.parse_args([*given, "--resamples", "10"]))
    assert len(pd.read_csv(tmp_path / "s.csv")) == 20
    with pytest.raises(SettingsError, match="unreadable"):
        command.run(parser.parse_args([*given, "--unreadable", "ignore"]))
    assert "(default: 1000)" in parser.format_help()


def test_a_task_file_whose_metrics_do_not_fit_is_refused(tmp_path, folders):
    path = write(tmp_path / "p.parquet", [row("RP", 1, "4")])
    for metrics, message in (
        (["hit@1"], "'hit@1' does not go with answers of kind 'number'; allowed: rmse"),
        ([], "no metrics for movielens-32m"),
        (["rmse:age"], "'rmse:age': ':ATTRIBUTE' belongs to metrics of attributes"),
    ):
        file = folders[0] / "tasks" / "RP.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"metrics": metrics}))
        with pytest.raises(ItdrError, match=message):
            score(path, folders, QUICK)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, r"lastfm-1k.ranges gives \[\]; .*an rmse: \['age'\]"),
        ({"gender": [1, 2]}, r"gives \['gender'\]"),
        ({"age": [110, 1]}, r"ranges.age: \[110, 1\] is no range"),
    ],
)
def test_every_attribute_that_is_a_number_needs_a_range(tmp_path, folders, ranges, message):
    path = write(tmp_path / "p.parquet", [row("UAP", 1, "age:30", "age:30")])
    file = folders[0] / "tasks" / "UAP.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["datasets"]["lastfm-1k"]["ranges"] = ranges
    file.write_text(yaml.safe_dump(settings))
    with pytest.raises(ItdrError, match=message):
        score(path, folders, QUICK)


# Variants and seeds


def test_columns_are_compared_two_by_two_on_the_same_examples(tmp_path, folders):
    rows = many(60)
    better = [one | {"answer": "4"} if one["dataset"] == "movielens-32m" and one["task"] == "RP"
              else one for one in rows]  # fmt: skip
    files = {name: write(tmp_path / f"{name}.parquet", found)
             for name, found in (("old", rows), ("new", better), ("same", better))}  # fmt: skip
    table = compare_columns(files, folders, ScoringSettings(permutations=500))
    assert tuple(table.columns) == COMPARISON_COLUMNS
    found = table.set_index(["first", "second", "dataset", "reading", "metric"]).sort_index()
    changed = found.loc["old", "new", "movielens-32m", "strict", "rmse-midpoint"]
    assert (changed.second_value, changed.better, changed.n) == (0.0, "new", 60)
    assert changed.difference == -changed.first_value
    # Holm's level asks for more than the 500 swappings.
    tests = (table.reading == "strict").sum()
    assert changed.p_value < 0.05 / tests and changed.p_holm == pytest.approx(
        changed.p_value * tests, rel=0.5
    )
    assert changed.p_value <= changed.p_bh <= changed.p_holm
    same = found.loc["new", "same", "movielens-32m", "strict", "rmse-midpoint"]
    assert (same.difference, same.p_value, same.better) == (0.0, 1.0, "")


def test_a_column_that_lacks_a_cell_is_compared_in_the_others_and_trivial_ones_with_models(
    tmp_path, folders
):
    rows = many(8)
    places = {"tiny/base": rows, "tiny/itdr": rows,
              "trivial/user-mean": [r for r in rows if r["task"] == "RP"],
              "trivial/global-mean": [r for r in rows if r["task"] == "RP"]}  # fmt: skip
    files = []
    for name, found in places.items():
        (tmp_path / name).mkdir(parents=True)
        files.append(write(tmp_path / name / "42.parquet", found))
    assert list(column_names(files)) == list(places)
    table = compare_columns(column_names(files), folders, ScoringSettings(permutations=50))
    pairs = {(row["task"], row["first"], row["second"]) for row in table.to_dict("records")}
    models, means = ("tiny/base", "tiny/itdr"), ("trivial/user-mean", "trivial/global-mean")
    assert {pair for pair in pairs if pair[0] == "RP"} == {
        ("RP", *models), *(("RP", model, mean) for model in models for mean in means)
    }  # fmt: skip
    assert {pair for pair in pairs if pair[0] == "TKR"} == {("TKR", *models)}
    with pytest.raises(SettingsError, match="would both be called 'tiny/base'"):
        column_names([files[0], Path("other/tiny/base/43.parquet")])


def test_columns_of_other_examples_are_refused(tmp_path, folders):
    first = write(tmp_path / "1.parquet", many(3))
    second = write(tmp_path / "2.parquet", many(4))
    with pytest.raises(ItdrError, match=r"\d examples, .* are not in"):
        compare_columns({"a": first, "b": second}, folders, QUICK)
    changed = [one | {"reference": "5"} if one["task"] == "RP" else one for one in many(3)]
    with pytest.raises(ItdrError, match=r"the truth is 5\.0, but"):
        compare_columns({"a": first, "b": write(second, changed)}, folders, QUICK)
    alone = write(tmp_path / "3.parquet", [one for one in many(3) if one["task"] == "TKR"])
    other = write(tmp_path / "4.parquet", [one for one in many(3) if one["task"] == "RP"])
    with pytest.raises(DataError, match="no cell that two of them answer"):
        compare_columns({"a": alone, "b": other}, folders, QUICK)


def test_seeds_are_merged(tmp_path, folders):
    files = [
        write(tmp_path / f"{seed}.parquet", [row("RP", at, answer) for at in range(5)])
        for seed, answer in enumerate(["4", "3", "5"])
    ]
    found = score_seeds(files, folders, QUICK).set_index(["reading", "metric"])
    merged = found.loc["strict", "rmse"]
    assert merged.value == pytest.approx(2 / 3)
    assert (merged.lowest, merged.highest, merged.n, merged.seeds) == (0.0, 1.0, 15, 3)
    assert tuple(found.reset_index().columns[:2]) == ("reading", "metric")
    assert merged.rate_unreadable == 0


def test_every_examples_values_can_be_written_and_give_the_cells(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    rows = [
        row("RP", 1, "3", user_id="u1"),
        row("RP", 2, "no idea"),
        choice("TKR", 1, listed("CXA")),
        row("UAP", 1, "gender:F, age:30", "gender:M, age:28"),
        row("IR", 1, "a b", "a b"),
    ]
    path, out, given = write(tmp_path / "p.parquet", rows), tmp_path / "s.csv", {}
    for name in ("rows.csv", "rows.parquet"):
        words = ["score", "--predictions", path, "--out", out, "--rows", tmp_path / name]
        assert main.main([str(word) for word in words]) == 0
        check_sidecar(tmp_path / name)
        given[name] = (pd.read_csv if name.endswith("csv") else pd.read_parquet)(tmp_path / name)
    given["rows.csv"]["read"] = given["rows.csv"]["read"].fillna("null")  # as pandas reads JSON's
    pd.testing.assert_frame_equal(given["rows.csv"], given["rows.parquet"], check_dtype=False)
    assert list(given["rows.csv"].columns) == ROWS.names
    found = given["rows.csv"].set_index(["id", "reading", "metric"])
    rated = found.loc["RP/movielens-32m/001", "strict", "rmse"]
    assert (rated.user_id, rated.value, rated["read"]) == ("u1", 1.0, "3.0")
    unread = found.loc["RP/movielens-32m/002", "strict", "rmse-midpoint"]
    assert (unread.value, unread["read"], unread.problem) == (1.25**2, "null", "not a number alone")
    assert np.isnan(found.loc["RP/movielens-32m/002", "strict", "rmse"].value)
    assert found.loc["TKR/movielens-32m/001", "strict", "hit@1"]["read"] == "[3, null, 1]"
    person = found.loc["UAP/lastfm-1k/001", "strict", "rmse:age"]
    assert (person.value, json.loads(person["read"])) == (4.0, {"gender": "F", "age": 30.0})
    assert json.loads(found.loc["IR/steam/001", "lenient", "bleu-1"]["read"]) == "a b"
    cells = pd.read_csv(out)
    for cell in cells.to_dict("records"):
        name = f"{cell['task']}/{cell['dataset']}/"
        mine = given["rows.csv"][(given["rows.csv"].reading == cell["reading"])
                                 & (given["rows.csv"].metric == cell["metric"])
                                 & given["rows.csv"].id.str.startswith(name)].value  # fmt: skip
        value = mine.mean() ** 0.5 if cell["metric"].startswith("rmse") else mine.mean()
        assert value == pytest.approx(cell["value"], abs=1e-6)


def test_rows_are_of_one_file_in_a_known_form(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "p.parquet", [row("RP", 1, "3")])
    for files, name, message in (([path], "r.txt", "must end in"),
                                 ([path, path], "r.csv", "takes one file")):  # fmt: skip
        words = ["--predictions", *files, "--out", tmp_path / "s.csv"]
        words += ["--rows", tmp_path / name]
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        with pytest.raises(SettingsError, match=message):
            command.run(parser.parse_args([str(word) for word in words]))
        assert not (tmp_path / "s.csv").exists()


def test_the_command_merges_the_seeds_of_one_variant(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    files = [
        write(tmp_path / f"{seed}.parquet", [row("RP", at, answer) for at in range(4)])
        for seed, answer in enumerate(["4", "none", "3"])
    ]
    out = tmp_path / "s.csv"
    words = ["score", "--predictions", *files, "--out", out, "--resamples", 50]
    assert main.main([str(word) for word in words]) == 0
    found = pd.read_csv(out).set_index(["reading", "metric"]).loc["strict", "rmse-midpoint"]
    assert (found.n, found.n_unreadable, found.seeds) == (12, 4, 3)
    assert found.value == pytest.approx((0 + 1.25 + 1) / 3)
    assert found.rate_unreadable == pytest.approx(1 / 3)


def test_the_command_compares_columns(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    files = [
        write(tmp_path / f"{name}.parquet", [row("RP", at, answer) for at in range(30)])
        for name, answer in (("first", "3"), ("second", "4"))
    ]
    out = tmp_path / "c.csv"
    words = ["compare", "--predictions", *files, "--out", out]
    assert main.main([*map(str, words), "--permutations", "200"]) == 0
    found = pd.read_csv(out).set_index(["reading", "metric"]).loc["strict", "rmse"]
    assert (found["first"], found.second, found.difference) == ("first", "second", -1)
    assert found.better == "second" and found.p_value < 0.02 and found.n == 30


def test_predictions_as_json_lines_are_scored_alike(tmp_path, folders):
    path = write(tmp_path / "p.parquet", [*many(9), row("IR", 99, '\u2028 é \\ "', "x\ny")])
    out = tmp_path / "p.jsonl"
    assert main.main(["export", "predictions", "--parts", str(path), "--out", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").split("\n")[:-1]]
    assert list(rows[0]) == PREDICTION.names
    pd.testing.assert_frame_equal(score(out, folders, QUICK), score(path, folders, QUICK))
