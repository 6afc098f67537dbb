"""Datasets of one's own: columns of any files become the tables, and every row is accounted for."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.datasets.readers.cells import TextList
from itdr.datasets.readers.fields import BadCellError, Number
from itdr.datasets.readers.mapped import Target
from itdr.datasets.readers.times import IsoTime, PatternTime, TimeNumber
from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.files.formats import read_parquet
from itdr.instructions.build import build
from itdr.instructions.record import DRAFT
from itdr.instructions.tasks import DatasetTemplate, load_task
from itdr.settings.dataset import DatasetSettings
from itdr.settings.experiment import BuildSettings
from itdr.settings.reading import check
from tests.normalised import Normalised, normalised, unhurried

BOUGHT: dict[str, Any] = {
    "file": "sales.csv",
    "user_id": "customer",
    "item_id": "product",
    "rating": {"column": "stars", "low": 1, "high": 5, "step": 1, "missing": ["0"]},
    "timestamp": {"column": "when", "unit": "iso"},
    "review": "comment",
}
PRODUCTS: dict[str, Any] = {
    "file": "products.csv",
    "item_id": "sku",
    "title": "name",
    "categories": {"column": "groups", "separator": "|"},
    "year": "since",
    "price": "price",
    "attributes": {"colour": "Colour"},
}
CUSTOMERS: dict[str, Any] = {
    "file": "customers.csv",
    "missing": ["n/a"],
    "user_id": "id",
    "gender": {"column": "sex", "values": {"F": "female", "M": "male"}},
    "age": "age",
    "attributes": {"order": "Membership"},
}
SALES = "customer,product,stars,when,comment,till\na,007,5,2024-05-01,Good &amp; <b>solid</b>,9\n"
FILES: dict[str, str | bytes] = {
    "sales.csv": SALES + 'b,007,0,2024-05-02T10:30:00+02:00,"two\nlines",9\n',
    "products.csv": "sku;name;groups;since;price;Colour\n007; Axe ;Tools|Garden;1995.0;12.50;red\n",
    "customers.csv": "id,age,sex,Membership\na,31,F,gold\nb,n/a,n/a,n/a\n",
}


def dataset(**columns: Any) -> DatasetSettings:
    """Return a dataset of these columns."""
    value = {"id": "shop", "title": "T", "licence": "L", "kind": "folder", "columns": columns}
    return check(DatasetSettings, value, "shop.yaml")


def read(folder: Path, files: dict[str, str | bytes], **columns: Any) -> Normalised:
    """Normalise files of one's own."""
    return normalised(folder, dataset(**columns), files)


def refused(folder: Path, files: dict[str, str | bytes], **columns: Any) -> str:
    """Return why files of one's own are refused."""
    with pytest.raises((DataError, MissingFileError, SettingsError)) as error:
        read(folder, files, **columns)
    return str(error.value).replace(f"{folder}/", "")


def test_three_csv_files_become_the_three_tables(tmp_path):
    products = {**PRODUCTS, "separator": ";"}
    found = read(tmp_path, FILES, interactions=BOUGHT, items=products, users=CUSTOMERS)
    assert [row["user_id"] for row in found.interactions] == ["a", "b"]
    assert [row["rating"] for row in found.interactions] == [5, None]
    assert [row["review"] for row in found.interactions] == ["Good & solid", "two lines"]
    assert [row["timestamp"].isoformat() for row in found.interactions] == [
        "2024-05-01T00:00:00+00:00",
        "2024-05-02T08:30:00+00:00",
    ]
    axe = found.items["007"]
    assert (axe["title"], axe["categories"], axe["year"]) == ("Axe", ["Tools", "Garden"], 1995)
    assert (axe["price"], axe["attributes"]) == (12.5, {"colour": "red"})
    assert found.users["a"] | {"gender": "female", "age": 31, "order": "gold"} == found.users["a"]
    assert {found.users["b"][name] for name in ("gender", "age", "order")} == {None}
    assert found.quality["rating_scale"] == {"low": 1, "high": 5, "step": 1}
    assert found.quality["rows_read"] == 5 and not found.rejected


def test_csv_tsv_json_lines_and_parquet_mean_the_same(tmp_path):
    rows = [
        {"u": 7, "i": "x", "stars": 4.0, "t": 1_714_557_600, "tags": ["A", "B"]},
        {"u": 7, "i": "y", "stars": None, "t": 1_714_557_601, "tags": []},
        {"u": 8, "i": "x", "stars": 9.0, "t": 1_714_557_602, "tags": None},
    ]
    cells = [[7, "x", "4.0", 1_714_557_600, '"[""A"", ""B""]"'],
             [7, "y", "", 1_714_557_601, "[]"], [8, "x", 9, 1_714_557_602, ""]]  # fmt: skip
    lines = ["u,i,stars,t,tags", *(",".join(map(str, row)) for row in cells)]
    parquet = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    forms = {
        "a.csv": "\n".join(lines).encode(),
        "a.csv.gz": gzip.compress("\n".join(lines).encode()),
        "a.tsv": "\n".join(line.replace(",", "\t", 4) for line in lines)
        .replace('""A""\t', '""A"",')
        .encode(),
        "a.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "a.parquet": parquet.read_bytes(),
    }
    parquet.unlink()
    seen = []
    for name, content in forms.items():
        (folder := tmp_path / name).mkdir()
        found = read(
            folder,
            {name: content},
            interactions={"file": name, "user_id": "u", "item_id": "i",
                          "rating": {"column": "stars", "low": 1, "high": 5},
                          "timestamp": {"column": "t", "unit": "s"}},
            items={"file": name, "item_id": "i", "categories": "tags"},
        )  # fmt: skip
        first = 3 if name.endswith((".parquet", ".jsonl")) else 4
        assert found.reasons() == [(name, first, "stars is outside 1 to 5")], name
        seen.append((found.interactions, found.items, list(found.users)))
    assert seen[0][1]["x"]["categories"] == ["A", "B"]
    assert len(seen[0][0]) == 2
    assert all(tables == seen[0] for tables in seen)


def test_a_rejected_row_of_a_parquet_file_is_shown_with_its_number(tmp_path):
    table = pa.table({"u": ["a", None, "c"], "i": ["x", "y", "z"], "n": [[1], None, [2]]})
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path, {}, interactions={"file": "a.parquet", "user_id": "u", "item_id": "i"})
    (row,) = found.rejected
    assert (row["line"], row["reason"]) == (2, "u is missing")
    assert json.loads(row["raw"]) == {"u": None, "i": "y", "n": None}


def test_texts_that_are_none_in_a_parquet_file_lose_their_row_alone(tmp_path):
    bad = pa.array([b"x", b"\xff", b"z"]).view(pa.string())
    pq.write_table(pa.table({"u": ["a", "b", "c"], "i": bad}), tmp_path / "a.parquet")
    found = read(tmp_path, {}, interactions={"file": "a.parquet", "user_id": "u", "item_id": "i"})
    assert found.reasons() == [("a.parquet", 2, "not UTF-8 text")]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("6,2024-05-01", "stars is outside 1 to 5"),
        ("4.5,2024-05-01", "stars is not in steps of 1"),
        ("five,2024-05-01", "stars is not a number"),
        ("5,", "when is missing"),
        ("5,yesterday", "when is not a time such as 2024-05-01T10:30:00Z"),
        ("5,2023-02-29", "when is no such time or date"),
        ("5,1969-12-31", "when is outside the years 1990 to 2099"),
    ],
)
def test_a_wrong_cell_loses_its_row_alone_and_says_why(tmp_path, cell, reason):
    lines = f"customer,product,stars,when,comment\na,1,5,2024-05-01,\nb,2,{cell},\n"
    found = read(tmp_path, {"sales.csv": lines}, interactions=BOUGHT)
    assert found.reasons() == [("sales.csv", 3, reason)]
    assert found.rejected[0]["raw"] == f"b,2,{cell},"


def test_among_many_rows_the_wrong_ones_are_found(tmp_path):
    lines = [f"u{n},i{n},{'x' if n % 1000 == 7 else n % 5 + 1}" for n in range(5_000)]
    found = read(
        tmp_path,
        {"a.csv": "\n".join(["u,i,r", *lines])},
        interactions={"file": "a.csv", "user_id": "u", "item_id": "i",
                      "rating": {"column": "r", "low": 1, "high": 5}},
    )  # fmt: skip
    assert [line for _, line, _ in found.reasons()] == [9, 1009, 2009, 3009, 4009]
    assert len(found.interactions) == 4_995


def test_items_and_users_may_stand_in_the_file_of_the_interactions(tmp_path):
    lines = "who,what,name,town\na,1,Axe,Rome\nb,1,Axe,Bonn\na,2,Bow,Rome\na,1,Axe,Rome\n"
    found = read(
        tmp_path,
        {"all.csv": lines},
        interactions={"file": "all.csv", "user_id": "who", "item_id": "what"},
        items={"file": "all.csv", "item_id": "what", "title": "name"},
        users={"file": "all.csv", "user_id": "who", "location": "town"},
    )
    assert {key: item["title"] for key, item in found.items.items()} == {"1": "Axe", "2": "Bow"}
    assert [user["location"] for user in found.users.values()] == ["Rome", "Bonn"]
    assert found.reasons() == [("all.csv", 5, "repeats an earlier user_id and item_id")]
    assert found.quality["rows_read"] == 4


@pytest.mark.parametrize("pattern", ["parts", "parts/*.csv", "p*/[ab].csv"])
def test_a_folder_or_pattern_is_files_of_the_same_columns(tmp_path, pattern):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "_SUCCESS").touch()
    (tmp_path / "parts" / "a.csv").write_text("u,i\na,1\n,2\n")
    (tmp_path / "parts" / "b.csv").write_text("i,more,u\n3,,b\n")
    found = read(tmp_path, {}, interactions={"file": pattern, "user_id": "u", "item_id": "i"})
    assert [row["item_id"] for row in found.interactions] == ["1", "3"]
    assert found.reasons() == [("parts/a.csv", 3, "u is missing")]
    assert list(found.items) == ["1", "3"] and list(found.users) == ["a", "b"]


def test_a_file_without_a_header_and_with_marks_of_its_own(tmp_path):
    found = read(
        tmp_path,
        {"u.dat": "1::2::4::978300760\n1::3::-::978300760\n".encode("latin-1")},
        interactions={"file": "u.dat", "format": "csv", "separator": "::", "quoted": False,
                      "header": ["u", "i", "r", "t"], "missing": ["-"], "encoding": "latin-1",
                      "user_id": "u", "item_id": "i",
                      "rating": {"column": "r", "low": 1, "high": 5},
                      "timestamp": {"column": "t", "unit": "s"}},
    )  # fmt: skip
    assert [row["rating"] for row in found.interactions] == [4, None]
    assert found.interactions[0]["timestamp"].year == 2000


@pytest.mark.parametrize("name", ["sales.csv", "sales.jsonl", "sales.parquet"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path, name):
    if name.endswith("parquet"):
        pq.write_table(pa.table({"customer_id": ["a"], "product": ["x"]}), tmp_path / name)
    files = {"sales.csv": "customer_id,product\na,x\n",
             "sales.jsonl": '{"customer_id": "a", "product": "x"}\n'}  # fmt: skip
    columns = {"file": name, "user_id": "customer", "item_id": "product"}
    message = refused(tmp_path, {name: files[name]} if name in files else {}, interactions=columns)
    assert message == (
        f"{name}: no column 'customer'. Did you mean 'customer_id'? Its columns are customer_id, "
        "product. Correct 'columns' in the dataset's file."
    )


@pytest.mark.parametrize(
    ("files", "changes", "says"),
    [
        ({"sale.csv": SALES}, {}, "no sales.csv (or sales.csv.gz), which shop needs. Did you mean"),
        ({"sales.csv": ""}, {}, "sales.csv: no column 'customer'. Its columns are none"),
        ({"sales.csv": SALES.replace("till", "stars")}, {}, "more than one column 'stars'"),
        ({"sales.txt": SALES}, {"file": "sales.txt"}, "sales.txt: the format cannot be told"),
        ({"sales.parquet": SALES}, {"file": "sales.parquet"}, "not a whole Parquet file"),
        ({"sales.csv": "<!DOCTYPE html>"}, {}, "is a web page, not the data"),
        ({"sales.csv": SALES.splitlines()[0]}, {}, "no row of the shop files is an interaction"),
        ({"a.jsonl": '{"a\'b": 1}'}, {"file": "a.jsonl", "user_id": "a'b", "item_id": "a'b",
          "rating": None, "timestamp": None, "review": None}, "the key \"a'b\" cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_explained(tmp_path, files, changes, says):
    assert says in refused(tmp_path, files, interactions={**BOUGHT, **changes})


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"user": "customer"}, "unknown key 'columns.interactions.user'. Did you mean 'user_id'?"),
        ({"file": "../sales.csv"}, "inside the raw folder"),
        ({"timestamp": {"column": "t", "unit": "min"}}, "allowed: s, ms, us"),
        ({"timestamp": {"column": "t", "unit": "%d %Q"}}, "no pattern of strptime"),
        ({"rating": {"column": "r", "low": 5, "high": 1}}, "'low' must be below 'high'"),
        ({"separator": "::"}, "needs 'quoted: false'"),
        ({"separator": '"'}, "no double quote"),
    ],
)
def test_a_wrong_mapping_is_refused(columns, says):
    with pytest.raises(SettingsError) as error:
        dataset(interactions={**BOUGHT, **columns})
    assert says in str(error.value)


def test_tables_of_one_file_are_read_in_one_way():
    items = {"file": "sales.csv", "item_id": "product", "separator": ";"}
    with pytest.raises(
        SettingsError, match=r"items and interactions are of one file, 'sales\.csv'"
    ):
        dataset(interactions=BOUGHT, items=items)


def test_an_attribute_does_not_take_another_columns_name():
    with pytest.raises(SettingsError, match="'age' is another column's name"):
        dataset(interactions=BOUGHT, users={**CUSTOMERS, "attributes": {"age": "x"}})


FIELDS = [
    Number("n", low=1, high=5, step=0.5),
    TimeNumber("t", per_second=1e3),
    IsoTime("t"),
    PatternTime("t", pattern="%d.%m.%Y"),
    TextList("l", separator="|"),
]
CELLS = st.one_of(
    st.none(),
    st.text("0123456789-+.:TZ eE|[]\"',ab", max_size=25),
    st.datetimes(datetime(1980, 1, 1), datetime(2110, 1, 1), timezones=st.none() | st.timezones())
    .map(lambda time: time.isoformat()[:32]),
    st.sampled_from(["4.5", "1714557600000", "31.12.2024", '["a", 1, null]', "n/a", " n/a "]),
)  # fmt: skip


@unhurried
@given(st.lists(CELLS, max_size=6))
def test_a_whole_column_gives_the_values_of_its_cells_or_nothing(cells):
    for field in FIELDS:
        target = Target("x", field, missing=("n/a",))
        try:
            alone: list[Any] | None = [target.read(cell) for cell in cells]
        except BadCellError:
            alone = None
        whole = target.convert(pa.array(cells, pa.string()))
        assert (whole is None) == (alone is None), field
        assert whole is None or whole.to_pylist() == alone, field


def test_a_task_can_ask_for_an_attribute_of_ones_own(tmp_path):
    sales = [f"m{n},{item},{n % 5 + 1},2024-05-0{item + 1}," for n in range(4) for item in range(4)]
    files = {
        "sales.csv": "\n".join([SALES.splitlines()[0].removesuffix(",till"), *sales]),
        "products.csv": "sku,name\n" + "".join(f"{item},Tool {item}\n" for item in range(4)),
        "customers.csv": "id,Branch\n" + "".join(f"m{n},Branch {n % 2}\n" for n in range(4)),
    }
    read(
        tmp_path,
        files,
        interactions={**BOUGHT, "timestamp": {"column": "when", "unit": "iso"}},
        items={"file": "products.csv", "item_id": "sku", "title": "name"},
        users={"file": "customers.csv", "user_id": "id", "attributes": {"branch": "Branch"}},
    )
    told = {"examples": 4, "liked": 1, "attributes": ["branch"], "template": "{{ history }}"}
    task = load_task("UAP")
    task = task.model_copy(update={"datasets": {"shop": check(DatasetTemplate, told, "here")}})
    build(task, "shop", tmp_path / "tables", tmp_path / "a.parquet", BuildSettings(), seed=1)
    rows = read_parquet(tmp_path / "a.parquet", DRAFT).to_pylist()
    answers = {row["user_id"]: row["output"] for row in rows}
    assert answers == {f"m{n}": f"branch:Branch {n % 2}" for n in range(4)}
