"""Examples in the forms that other tools read, read back by plain means."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from itdr.cli.main import main
from itdr.files.formats import write_parquet
from itdr.instructions.export import hugging_face, llama_factory
from itdr.instructions.record import RECORD
from itdr.settings.dataset import load_datasets
from itdr.settings.folders import FOLDERS


def example(task, dataset, number, **fields):
    return dict.fromkeys(RECORD.names) | {
        "id": f"{task}/{dataset}/{number}", "task": task, "dataset": dataset,
        "user_id": str(number), "instruction": "Do it.", "input": f'"{number}"\n☃ \\ line',
        "output": f"answer {number}", "template_version": 1,
    } | fields  # fmt: skip


@pytest.fixture
def parts(tmp_path):
    """Return the files of two cells with 3, 1 and 2 examples in train, val and test."""
    files = []
    for task, dataset in (("RP", "yelp"), ("NIR", "microlens")):
        for part, count in (("train", 3), ("val", 1), ("test", 2)):
            path = tmp_path / task / f"{part}.parquet"
            rows = [example(task, dataset, f"{part}{n}", history=[{"item_id": "1", "title": "A"}])
                    for n in range(count)]  # fmt: skip
            write_parquet(path, pa.Table.from_pylist(rows, RECORD))
            files.append(path)
    return files


def test_llama_factory_finds_each_part_by_its_name(parts, tmp_path):
    out = tmp_path / "out"
    assert llama_factory.export(parts, out) == {"itdr_train": 6, "itdr_val": 2, "itdr_test": 4}
    info = json.loads((out / "dataset_info.json").read_text())
    assert info["itdr_train"] == {
        "file_name": "itdr_train.json",
        "columns": {"prompt": "instruction", "query": "input", "response": "output"},
    }
    rows = json.loads((out / info["itdr_val"]["file_name"]).read_text(encoding="utf-8"))
    assert rows[0] == {"instruction": "Do it.\n", "input": '"val0"\n☃ \\ line',
                       "output": "answer val0"}  # fmt: skip


def test_llama_factorys_prompt_is_ours(parts, tmp_path, random_model):
    from transformers import AutoTokenizer

    from itdr.models.prompt import PromptRenderer

    llama_factory.export(parts, tmp_path / "out")
    row = json.loads((tmp_path / "out" / "itdr_test.json").read_text())[0]
    # LLaMA-Factory joins what is not empty with a line feed (its AlpacaDatasetConverter).
    theirs = "\n".join(text for text in (row["instruction"], row["input"]) if text)
    tokenizer = AutoTokenizer.from_pretrained(random_model)
    ours = PromptRenderer(tokenizer).prompt("Do it.", '"test0"\n☃ \\ line')
    assert tokenizer.decode(ours) == (
        f"<|im_start|>user\n{theirs}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_an_empty_instruction_stays_empty(tmp_path):
    path = tmp_path / "train.parquet"
    rows = [example("RP", "yelp", 1, instruction="")]
    write_parquet(path, pa.Table.from_pylist(rows, RECORD))
    llama_factory.export([path], tmp_path / "out")
    assert json.loads((tmp_path / "out" / "itdr_train.json").read_text())[0]["instruction"] == ""


def test_a_part_without_examples_is_an_empty_list(tmp_path):
    path = tmp_path / "test.parquet"
    write_parquet(path, RECORD.empty_table())
    assert llama_factory.export([path], tmp_path / "out") == {"itdr_test": 0}
    assert json.loads((tmp_path / "out" / "itdr_test.json").read_text()) == []


@pytest.fixture
def folder(parts, tmp_path):
    sources = load_datasets()
    hugging_face.export(parts, tmp_path / "hf", sources, FOLDERS)
    return tmp_path / "hf"


def card(folder):
    _, head, body = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_files_named_in_the_card_hold_every_example_once(parts, folder):
    head, _ = card(folder)
    default = next(c for c in head["configs"] if c["config_name"] == "default")
    assert [files["split"] for files in default["data_files"]] == ["train", "validation", "test"]
    found = [
        row["id"]
        for files in default["data_files"]
        for path in sorted(folder.glob(files["path"]))
        for row in pq.read_table(path).to_pylist()
    ]
    assert sorted(found) == sorted(
        name for path in parts for name in pq.read_table(path)["id"].to_pylist()
    )


def test_each_task_is_a_configuration_of_its_own(folder):
    import pandas as pd

    head, _ = card(folder)
    task = next(c for c in head["configs"] if c["config_name"] == "NIR")
    train = next(files for files in task["data_files"] if files["split"] == "train")
    frame = pd.read_parquet(folder / train["path"])
    assert set(frame["task"]) == {"NIR"} and len(frame) == 3
    assert frame["history"][0][0]["title"] == "A"


def test_the_card_has_the_terms_of_each_source_in_it_and_of_no_other(folder):
    head, body = card(folder)
    assert (head["license"], head["license_name"]) == ("other", "terms-of-each-source")
    assert "no redistribution" in body and "altered copies may not be offered" in body
    assert "Yelp Open Dataset (`yelp`)" in body and "MovieLens" not in body
    assert "| Rating Prediction (RP) | yelp | 3 | 1 | 2 |" in body


def test_no_column_is_a_map_because_datasets_cannot_load_maps(folder):
    def has_map(kind):
        if pa.types.is_nested(kind):
            inner = [kind.field(n).type for n in range(kind.num_fields)]
            return pa.types.is_map(kind) or any(map(has_map, inner))
        return False

    schema = pq.read_schema(folder / "data" / "RP" / "train.parquet")
    assert schema.names == RECORD.names
    assert not any(has_map(field.type) for field in schema)


def test_the_command_refuses_files_that_are_no_parts(tmp_path, capsys):
    path = tmp_path / "examples.parquet"
    write_parquet(path, RECORD.empty_table())
    command = ["export", "hugging-face", "--parts", str(path), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "a part must be called train, val, test" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
