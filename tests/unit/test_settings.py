"""Configuration is data: what is wrong is refused with file, key, and the nearest right name."""

import argparse
import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from itdr.errors import MissingFileError, SettingsError
from itdr.instructions.tasks import load_task, load_tasks
from itdr.planning.loading import load_workflow
from itdr.settings.experiment import Experiment, load_experiment
from itdr.settings.flags import add_flags, as_flags, from_flags
from itdr.settings.reading import load_yaml
from itdr.settings.training import TrainingSettings
from itdr.settings.variant import Variant, chain_of, load_variants
from tests.conftest import ROOT

PAPER = ROOT / "config" / "config.yaml"
TASKS = ROOT / "config" / "tasks"


def refusal(tmp_path, changes: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(changes)
    with pytest.raises(SettingsError) as error:
        load_experiment([PAPER, path])
    return str(error.value).replace(str(path), "mine.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("sead: 3", "mine.yaml: unknown key 'sead'. Did you mean 'seed'?"),
        ("training: {epoch: 3}", "mine.yaml: unknown key 'training.epoch'. Did you mean 'epochs'?"),
        (
            "training: {epochs: three}",
            "mine.yaml: 'training.epochs': input should be a valid number",
        ),
        ("seed: '3'", "mine.yaml: 'seed': input should be a valid integer (found '3')."),
        ("seed: true", "mine.yaml: 'seed': input should be a valid integer (found True)."),
        ("pairs: [RP/../x]", "'pairs.0': the dataset must be made of letters"),
        ("pairs: [movielens-32m]", "'pairs.0': must be TASK/DATASET, such as RP/movielens-32m"),
        (
            "columns: [tiny]",
            "'columns.0': must be MODEL/VARIANT, such as",
        ),
        ("split: {by: example}", "audit.tolerate must name shared-user and shared-item"),
        ("build: {negatives: unifrm}", "'available' (found 'unifrm'). Did you mean"),
        (
            "split: {shares: [0.5, 0.1, 0.1]}",
            "'split': shares must not be negative and must add up",
        ),
        ("training: {row_length: 512}", "row_length (512) must not be below max_length (2048)"),
        ("raw_folders: {a/b: x}", "mine.yaml: 'raw_folders.a/b': string should match pattern"),
    ],
)
def test_what_is_wrong_is_refused_with_file_key_and_hint(tmp_path, changes, message):
    assert message in refusal(tmp_path, changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("pairs: [RP/movielens-32]", "'pairs.0': unknown dataset 'movielens-32'"),
        ("pairs: [RPP/yelp]", "'pairs.0': unknown task 'RPP'"),
        ("raw_folders: {movielens: x}", "'raw_folders': unknown dataset 'movielens'"),
        ("config_folders: [nowhere]", "'config_folders.0' is 'nowhere', which is no folder"),
    ],
)
def test_what_has_no_file_is_refused_with_file_and_key(tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(ROOT)
    path = tmp_path / "mine.yaml"
    path.write_text(changes)
    with pytest.raises((SettingsError, MissingFileError)) as error:
        load_workflow([PAPER, path])
    assert f"{path}: {message}" in str(error.value)


def test_every_wrong_key_is_told_at_once(tmp_path):
    message = refusal(tmp_path, "sead: 1\ntraining: {epoch: 1}")
    assert "'sead'" in message and "'training.epoch'" in message


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("seed: 1\nseed: 2\n")
    with pytest.raises(SettingsError, match="the key 'seed' stands twice"):
        load_yaml(path)


def test_a_file_that_is_no_yaml_is_refused(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1, 2\n")
    with pytest.raises(SettingsError, match=r"broken\.yaml: cannot be read as YAML"):
        load_yaml(path)


def test_yaml_cannot_run_code(tmp_path):
    path = tmp_path / "evil.yaml"
    path.write_text("a: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(SettingsError):
        load_yaml(path)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for below, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "stands for more than 100,000 values"),
        ("a: &a [*a]", "stands for more than 100,000 values"),
        ("a: " + "[" * 3000, "nested deeper than 50 levels"),
        ("a:\n" + "".join(" " * level + "a:\n" for level in range(1, 60)), "nested deeper than"),
        ("a: 2001-99-99", "month must be in 1..12"),
        ("a: !!int ''", "could be read in several ways; write digits alone"),
        ("a: !!timestamp x", "a value is not what its form or tag says"),
        ("? [a, b]\n: 1", "the key ['a', 'b'] is no text"),
        ("1: a\n'1': b", "the key 1 is no text; put it in quotes"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "merge keys (<<) are not read"),
        ("a: 99999999999999999999", "a whole number beyond 9,007,199,254,740,992"),
        ("a: " + "9" * 5000, "a value is not what its form or tag says"),
        ('a: "b\\0c"', "a text with a character that no file can hold"),
        ('a: "\\ud800"', "a text with a character that no file can hold"),
    ],
)
def test_yaml_that_grows_or_that_nothing_can_hold_is_refused(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"a\.yaml: cannot be read as YAML") as error:
        load_yaml(path)
    assert message in str(error.value)


def test_an_anchor_may_be_used_again(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &x [1, 2]\nb: *x\n")
    assert load_yaml(path) == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize("value", [".inf", ".nan", "1e999"])
def test_numbers_are_finite(tmp_path, value):
    assert "'training.learning_rate': input should be a finite number" in refusal(
        tmp_path, f"training: {{learning_rate: {value}}}"
    )


@pytest.mark.parametrize("word", ["[", "2001-99-99", "*a", "[" * 3000, "9" * 5000, "!!int ''"])
def test_an_option_that_is_no_yaml_is_refused(word):
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainingSettings)
    with pytest.raises(SettingsError, match="command line: 'epochs': input should be"):
        from_flags(parser.parse_args([f"--epochs={word}"]), TrainingSettings)


def test_an_exponent_without_a_dot_is_a_number(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1e-4\nb: -2E3\n")
    assert load_yaml(path) == {"a": 1e-4, "b": -2000.0}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.yaml: no such configuration file"):
        load_experiment([tmp_path / "none.yaml"])


def test_a_file_laid_over_another_replaces_single_keys(tmp_path):
    path = tmp_path / "over.yaml"
    path.write_text("training: {epochs: 5}\npairs: [RP/movielens-32m]\n")
    experiment = load_experiment([PAPER, path], {"seed": 7})
    assert experiment.training.epochs == 5
    assert experiment.training.batch_size == 8
    assert experiment.pairs == ("RP/movielens-32m",)
    assert experiment.seed == 7


def test_the_papers_configuration_names_every_key():
    def keys(model, value, path=""):
        for name, field in model.model_fields.items():
            assert name in value, f"{path}{name} is not described in config/config.yaml"
            inner = field.annotation
            if hasattr(inner, "model_fields") and name != "scoring":
                keys(inner, value[name], f"{path}{name}.")

    keys(Experiment, load_yaml(PAPER))


def test_every_setting_is_described():
    for model in (Experiment, *(f.annotation for f in Experiment.model_fields.values())):
        for name, field in getattr(model, "model_fields", {}).items():
            assert field.description or hasattr(field.annotation, "model_fields"), name


def test_the_shipped_configurations_are_whole(monkeypatch):
    monkeypatch.chdir(ROOT)
    paper = load_workflow([Path("config/config.yaml")])
    demo = load_workflow([Path("config/config.yaml"), Path("config/demo.yaml")])
    full = load_workflow([Path(f"config/{name}.yaml") for name in ("config", "demo", "demo-full")])
    assert len(paper.cells) == 33 and demo.cells == full.cells == paper.cells
    assert demo.columns == [("tiny", "base"), ("tiny", "itdr")]
    assert {variant for _, variant in full.columns} == set(full.paper.variants)


def test_a_task_may_have_a_limit_of_its_own():
    build = {"max_examples": 180, "max_examples_of": {"IR": 40}, "negatives": "popularity"}
    experiment = load_experiment([PAPER], {"build": build})
    assert experiment.build.of("IR").max_examples == 40
    assert experiment.build.of("RP").max_examples == 180
    assert experiment.build.of("IR").negatives == "popularity"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": ["RPP/yelp"]}, "unknown task 'RPP'.*Did you mean 'RP'"),
        ({"build": {"max_examples_of": {"RQ": 5}}}, "'build.max_examples_of': unknown task 'RQ'"),
        ({"trivial_answers": ["user-means"]}, "'trivial_answers': unknown trivial answer 'user-m"),
        ({"paper": "idtr"}, "unknown paper 'idtr'.*Did you mean 'itdr'"),
        ({"paper": None}, "unknown variant 'itdr'.*Allowed: base, tuned"),
        ({"paper": None, "data": "released"}, "no 'paper' is named whose release is meant"),
        ({"variants": {"x": {"tasks": ["RPP"]}}}, "'variants.x.tasks': 'RPP' is no task of the"),
        ({"variants": {"x": {"tasks": ["RP"], "share": 0.0}}}, "has a share above 0"),
        (
            {"variants": {"x": {"tasks": ["RP"], "start_from": "itdrr"}}},
            "'start_from' of the variant 'x': unknown variant 'itdrr'. Did you mean 'itdr'",
        ),
        (
            {"variants": {"x": {"tasks": ["RP"], "start_from": "base"}}},
            "'start_from' of the variant 'x': 'base' is not trained, so it has no adapter",
        ),
        (
            {
                "variants": {
                    "x": {"tasks": ["RP"], "start_from": "y"},
                    "y": {"tasks": ["RP"], "start_from": "x"},
                }
            },
            "x starts from y starts from x, which is a circle",
        ),
        ({"variants": {"x": {"start_from": "itdr"}}}, "'variants.x.start_from': belongs to a vari"),
        (
            {"variants": {"x": {"tasks": ["RP"], "training": {"epoch": 3}}}},
            "'variants.x.training': unknown key 'epoch'. Did you mean 'epochs'",
        ),
        (
            {"variants": {"x": {"tasks": ["RP"], "share": 0.5, "rows": 8}}},
            "either 'share' or 'rows' says how much is taken",
        ),
    ],
)
def test_names_that_stand_for_nothing_are_refused(monkeypatch, changes, message):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SettingsError, match=message):
        load_workflow([Path("config/config.yaml")], changes)


def test_without_a_paper_there_is_a_table_of_all_columns(monkeypatch):
    monkeypatch.chdir(ROOT)
    half = {"tasks": ["RP"], "share": 0.5}
    columns = ["tiny/base", "tiny/tuned", "tiny/half"]
    changes = {"paper": None, "columns": columns, "variants": {"half": half}}
    workflow = load_workflow([Path("config/config.yaml")], changes)
    assert workflow.table_columns == {"main": [("tiny", v) for v in ("base", "tuned", "half")]}
    assert workflow.cells_of("tuned") == workflow.cells
    assert {task for task, _ in workflow.cells_of("half")} == {"RP"}
    assert workflow.paper.files == []


def test_a_chain_of_variants_has_its_stages_with_settings_of_their_own(monkeypatch):
    monkeypatch.chdir(ROOT)
    first = {"tasks": ["TKR"], "training": {"epochs": 3}}
    then = {"tasks": ["RP"], "datasets": ["yelp"], "rows": 64, "start_from": "first"}
    changes = {"training": {"max_length": 512}, "variants": {"first": first, "then": then}}
    workflow = load_workflow([Path("config/config.yaml")], changes)
    assert chain_of(workflow.variants, "then", "") == ["first", "then"]
    assert workflow.cells_of("then") == [("RP", "yelp")]
    first, then = workflow.training("first"), workflow.training("then")
    assert (first.epochs, first.max_length) == (3, 512) and (then.epochs, then.max_length) == (
        2,
        512,
    )
    assert "--rows=64" in workflow.mix_flags("then") and "start" not in workflow.mix_flags("then")


def test_a_table_of_variants_may_say_rows_datasets_and_starts(tmp_path):
    path = tmp_path / "variants.csv"
    path.write_text(
        "variant,tasks,share,description,datasets,rows,start_from\n"
        "one,A,1,yes,,,\ntwo,A B,1,yes,d e,16,one\n"
    )
    variants = load_variants(path)
    assert variants["one"] == Variant(variant="one", tasks=("A",))
    two = Variant(variant="two", tasks=("A", "B"), datasets=("d", "e"), rows=16, start_from="one")
    assert variants["two"] == two
    path.write_text(path.read_text().replace(",16,", ",few,"))
    with pytest.raises(SettingsError, match=r":3: 'rows' is 'few'; a whole number is needed"):
        load_variants(path)


def test_a_raw_folder_that_is_not_there_is_named(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(MissingFileError, match=r"raw_folders\.movielens-1m.*no folder"):
        load_workflow([Path("config/config.yaml")], {"raw_folders": {"movielens-1m": "/none"}})


def test_a_changed_template_changes_only_the_mark_of_its_dataset(monkeypatch):
    monkeypatch.chdir(ROOT)
    workflow = load_workflow([Path("config/config.yaml")])
    task = workflow.tasks["RP"]
    of = task.datasets["movielens-32m"]
    other = of.model_copy(update={"template": "{{ target.title }}"})
    changed = task.model_copy(update={"datasets": {"movielens-32m": of, "yelp": other}})
    workflow.tasks["RP"] = changed
    before = workflow.templates["RP"]
    workflow.tasks["RP"] = changed.model_copy(
        update={"datasets": {"movielens-32m": of, "yelp": of}}
    )
    after = workflow.templates["RP"]
    assert before["movielens-32m"] == after["movielens-32m"]
    assert before["yelp"] != after["yelp"]


def test_what_a_models_jobs_ask_for_changes_nothing_that_was_made(monkeypatch):
    monkeypatch.chdir(ROOT)
    workflow = load_workflow([ROOT / "config" / "config.yaml"])
    name, model = next(iter(workflow.models.items()))
    bigger = model.model_copy(update={"gpus": 4, "gpu_model": "h100", "memory_mb": 90000})
    assert replace(workflow, models={name: bigger}).weights[name] == workflow.weights[name]
    other = model.model_copy(update={"revision": "another"})
    assert replace(workflow, models={name: other}).weights[name] != workflow.weights[name]


@pytest.mark.parametrize("path", sorted(TASKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_task_files_are_whole(path):
    task = load_task(path.stem)
    for dataset in task.datasets:
        assert task.metrics_of(dataset), f"{task.task}/{dataset} has no metric"


def test_an_unknown_task_is_refused():
    with pytest.raises(SettingsError, match=r"unknown task 'TKRR'.*Did you mean 'TKR'\?"):
        load_task("TKRR")


def test_a_task_without_a_template_for_the_dataset_says_so():
    with pytest.raises(SettingsError, match=r"RP\.yaml: no template for dataset 'mind'"):
        load_task("RP").of("mind")


def test_an_unknown_metric_is_refused(tmp_path):
    value = yaml.safe_load((TASKS / "RP.yaml").read_text())
    value["metrics"] = ["rmsee"]
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "RP.yaml").write_text(yaml.safe_dump(value))
    with pytest.raises(
        SettingsError, match=r"RP.yaml: 'metrics' of .*unknown metric 'rmsee'; allowed"
    ):
        load_task("RP", [tmp_path])


def test_settings_survive_the_way_over_the_command_line():
    import argparse
    import shlex

    settings = TrainingSettings(learning_rate=3e-5, schedule="linear", gradient_checkpointing=True)
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainingSettings)
    args = parser.parse_args(shlex.split(as_flags(settings)))
    assert from_flags(args, TrainingSettings) == settings


def test_a_wrong_option_is_refused_like_a_wrong_key():
    import argparse

    parser = argparse.ArgumentParser()
    add_flags(parser, TrainingSettings)
    with pytest.raises(SettingsError, match="command line: 'epochs': input should be greater"):
        from_flags(parser.parse_args(["--epochs", "-1"]), TrainingSettings)


def test_the_variants_are_those_of_the_paper():
    variants = load_variants(ROOT / "config" / "papers" / "itdr" / "variants.csv")
    with (ROOT / "config" / "papers" / "itdr" / "results.csv").open(encoding="utf-8") as file:
        assert set(variants) == {row["variant"] for row in csv.DictReader(file)}
    roots = {name: task.root_task for name, task in load_tasks().items()}
    assert set(variants["wo-uii"].tasks) == {task for task in roots if roots[task] == "UIU"}
    assert set(variants["wo-uiu"].tasks) == {task for task in roots if roots[task] == "UII"}
    for task in roots:
        assert set(variants[f"wo-{task.lower()}"].tasks) == set(roots) - {task}
    assert [variants[f"data-{part}"].share for part in (25, 50, 75)] == [0.25, 0.5, 0.75]
    assert [name for name, variant in variants.items() if not variant.is_trained] == ["base"]
    without = [name for name, variant in variants.items() if not variant.description]
    assert without == ["wo-task-description"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "variant,tasks,share",
            "the columns are variant, tasks, share; needed are variant,",
        ),
        ("HEAD\na,RP,half,yes", ":2: 'share' is 'half'; a number is needed"),
        ("HEAD\na,RP,1,maybe", ":2: 'description' is 'maybe'; needed is yes or no"),
        ("HEAD\na,RP,2,yes", ":2: 'share': input should be less than or equal to 1"),
        ("HEAD\na,RP,0,yes", ":2: a variant that is trained has a share above 0"),
        ("HEAD\na,RP,1,yes\na,RP,1,yes", ":3: the variant 'a' stands twice"),
        ("HEAD\na,RP", ":2: 'share' is None; a number is needed"),
        ("HEAD\na,RP,1,yes,no", ":2: more cells than columns"),
        ('HEAD\n"a,RP,1,yes\nb,RP,1,yes', "cannot be read as CSV: unexpected end of data"),
        ("HEAD\na\0,RP,1,yes", ":2: a NUL character"),
        ("HEAD\na,RP,nan,yes", ":2: 'share': input should be a finite number"),
    ],
)
def test_a_wrong_line_of_variants_is_named(tmp_path, lines, message):
    path = tmp_path / "variants.csv"
    path.write_text(lines.replace("HEAD", "variant,tasks,share,description") + "\n")
    with pytest.raises(SettingsError) as error:
        load_variants(path)
    assert message in str(error.value)


def test_an_unknown_variant_is_refused_with_the_nearest_one(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    mine = tmp_path / "mine.yaml"
    mine.write_text("columns: [tiny/wo-udi]")
    with pytest.raises(SettingsError, match=r"mine.yaml: 'columns': unknown variant 'wo-udi'. Did"):
        load_workflow([PAPER, mine])


def test_all_pairs_of_the_paper_have_a_template_of_the_papers_size():
    experiment = load_experiment([PAPER])
    with (ROOT / "config" / "papers" / "itdr" / "statistics.csv").open(encoding="utf-8") as file:
        paper = {f"{row['task']}/{row['dataset']}": int(row["examples"])
                 for row in csv.DictReader(file)}  # fmt: skip
    assert list(experiment.pairs) == list(paper)
    ours = {pair: load_task(pair.split("/")[0]).of(pair.split("/")[1]).examples
            for pair in experiment.pairs}  # fmt: skip
    assert ours == paper
