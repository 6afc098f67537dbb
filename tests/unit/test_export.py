"""Examples in the forms that other tools read, read back by plain means."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from itdr.cli.main import main
from itdr.files.checksums import sha256
from itdr.files.formats import write_parquet
from itdr.instructions.export import hugging_face, llama_factory
from itdr.instructions.protocol import Protocol
from itdr.instructions.record import RECORD
from itdr.settings.dataset import load_datasets
from itdr.settings.folders import FOLDERS
from itdr.vocabulary import Origin


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
    assert head["license_link"] == "LICENSE.md"
    terms = (folder / "LICENSE.md").read_text()
    assert "no redistribution" in terms and "altered copies may not be offered" in terms
    assert "Yelp Open Dataset (`yelp`)" in terms and "MovieLens" not in terms
    assert "| Rating Prediction (RP) | yelp | 3 | 1 | 2 |" in body


def test_the_card_says_where_texts_come_from_and_what_the_columns_are(folder):
    head, _ = card(folder)
    assert head["source_datasets"] == ["extended|other-microlens", "extended|other-yelp"]
    assert head["annotations_creators"] == ["found"] and head["language_creators"] == ["found"]
    info = next(entry for entry in head["dataset_info"] if entry["config_name"] == "NIR")
    assert {split["name"]: split["num_examples"] for split in info["splits"]} == {
        "train": 3, "validation": 1, "test": 2}  # fmt: skip
    files = (folder / "data" / "NIR").glob("*.parquet")
    assert info["download_size"] == sum(path.stat().st_size for path in files)


def test_datasets_loads_the_folder_with_the_columns_that_the_card_names(folder, tmp_path):
    datasets = pytest.importorskip("datasets", reason="comes with the extra 'harness'")
    found = datasets.load_dataset(str(folder), "RP", cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in found.items()} == {
        "train": 3, "validation": 1, "test": 2}  # fmt: skip
    assert found["train"].column_names == RECORD.names


def test_simulated_examples_are_called_so_on_the_card(parts, tmp_path):
    marked = Protocol(data=Origin.SIMULATED).attached(RECORD)
    for path in parts:
        write_parquet(path, pq.read_table(path).cast(marked))
    hugging_face.export(parts, tmp_path / "hf", load_datasets(), FOLDERS)
    head, body = card(tmp_path / "hf")
    assert head["pretty_name"] == "ITDR, simulated" and "synthetic" in head["tags"]
    assert head["source_datasets"] == ["original"] and "simulated and of nobody" in body


def test_mlcroissant_finds_no_fault_and_reads_the_rows(folder):
    croissant = pytest.importorskip("mlcroissant")
    found = croissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert found.metadata.ctx.issues.errors == set() == found.metadata.ctx.issues.warnings
    rows = list(found.records("RP-train"))
    assert [row["RP-train/output"] for row in rows] == [b"answer train0", b"answer train1",
                                                        b"answer train2"]  # fmt: skip
    value = json.loads((folder / "croissant.json").read_text())
    assert value["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert {source["prov:label"] for source in value["prov:wasDerivedFrom"]} == {
        "Yelp Open Dataset", "MicroLens-100K"}  # fmt: skip


def test_a_recipe_has_no_example_but_tells_whether_a_rebuild_is_the_same(parts, folder, tmp_path):
    out = tmp_path / "recipe"
    words = ["export", "recipe", "--parts", *map(str, parts), "--out", str(out)]
    assert main(words) == 0
    texts = "".join(path.read_text() for path in out.rglob("*") if path.is_file())
    assert not list(out.rglob("*.parquet")) and "answer train0" not in texts
    assert (out / "ids" / "NIR" / "validation.txt").read_text() == "NIR/microlens/val0\n"
    files = json.loads((out / "croissant.json").read_text())["distribution"]
    assert {file["@id"]: file["sha256"] for file in files} == {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in folder.glob("data/*/*.parquet")}  # fmt: skip
    assert "configs" not in card(out)[0]


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
