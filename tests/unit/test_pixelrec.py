"""PixelRec: the item stands before the user, and people rename the files."""

import re
import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from itdr.datasets.adapters.pixelrec import _INTERACTION_CSV, _ITEM_INFO_CSV
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised

VIEWS = "item_id,user_id,timestamp\ni72138,u209296,1605059546\ni1,u209296,1605059540\n"
HEADER = (
    "item_id,view_number,comment_number,thumbup_number,share_number,coin_number,"
    "favorite_number,barrage_number,title,tag,description\n"
)
VIDEO = 'i1,799668.0,739.0,8050.0,220.0,84.0,1049.0,510.0,"A ""turtle"", and it",Pet Reptiles,\n'


def _views(tmp_path, views=VIEWS, videos=VIDEO):
    return normalised(
        tmp_path, "pixelrec", {"interaction.csv": views, "item_info.csv": HEADER + videos}
    )


def test_the_item_stands_before_the_user_and_times_are_seconds(tmp_path):
    out = _views(tmp_path)
    assert [(r["user_id"], r["item_id"], r["timestamp"]) for r in out.interactions] == [
        ("u209296", "i1", datetime(2020, 11, 11, 1, 52, 20, tzinfo=UTC)),
        ("u209296", "i72138", datetime(2020, 11, 11, 1, 52, 26, tzinfo=UTC)),
    ]
    assert list(out.users) == ["u209296"]


def test_a_video_has_its_tag_its_counters_and_quoted_free_text(tmp_path):
    item = _views(tmp_path).items["i1"]
    assert item["title"] == 'A "turtle", and it'
    assert item["categories"] == ["Pet Reptiles"]
    assert item["description"] is None
    assert item["attributes"]["view_number"] == "799668"
    assert item["attributes"]["barrage_number"] == "510"


def test_a_tag_with_commas_is_one_category(tmp_path):
    out = _views(tmp_path, videos='i1,1.0,1.0,1.0,1.0,1.0,1.0,1.0,T,"Sciences, Law, and X",a\n')
    assert out.items["i1"]["categories"] == ["Sciences, Law, and X"]


def test_a_video_of_which_nothing_is_known_is_kept(tmp_path):
    item = _views(tmp_path, videos="i1,,,,,,,,,,\n").items["i1"]
    assert (item["title"], item["categories"], item["attributes"]) == (None, [], {})


@pytest.mark.parametrize("name", ["pixel50k_interaction.csv", "Pixel200K.csv", "Pixel1M.csv.gz"])
def test_renamed_files_are_found(tmp_path, name):
    import gzip

    content = VIEWS.encode()
    content = gzip.compress(content) if name.endswith(".gz") else content
    files = {name: content, "pixel50k_item_info.csv": HEADER + VIDEO}
    assert len(normalised(tmp_path, "pixelrec", files).interactions) == 2


def test_two_sizes_of_the_data_in_one_folder_are_refused(tmp_path):
    files = {"Pixel200K.csv": VIEWS, "Pixel1M.csv": VIEWS, "item_info.csv": HEADER + VIDEO}
    with pytest.raises(DataError, match=r"2 files could be interaction.csv"):
        normalised(tmp_path, "pixelrec", files)


def test_columns_in_another_order_are_refused(tmp_path):
    with pytest.raises(DataError, match="needed are the columns item_id, user_id, timestamp"):
        _views(tmp_path, views="user_id,item_id,timestamp\nu1,i1,1605059546\n")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"no item_info.csv.*itdr fetch pixelrec"):
        normalised(tmp_path, "pixelrec", {"interaction.csv": VIEWS})


def test_broken_rows_are_rejected_with_their_reason(tmp_path):
    out = _views(
        tmp_path, views=f"{VIEWS}i2,u3,1605059546000\n,u3,1605059546\ni1,u209296,1605059540\n"
    )
    assert [reason for _, _, reason in out.reasons()] == [
        "timestamp is outside the years 1990 to 2099",
        "item_id is missing",
        "repeats an earlier user_id and item_id",
    ]


def test_real_rows(real_samples, tmp_path):
    sample = next((real_samples / "pixelrec").glob("interaction*.csv"))
    shutil.copy(sample, tmp_path / "interaction.csv")
    out = normalised(tmp_path, "pixelrec", {"item_info.csv": HEADER + VIDEO})
    assert len(out.interactions) == 5
    assert out.quality["rows_rejected"] == 0
    assert all(re.fullmatch("u[0-9]+", row["user_id"]) for row in out.interactions)
    assert all(re.fullmatch("i[0-9]+", row["item_id"]) for row in out.interactions)


def test_the_simulated_world_comes_back(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=20)
    write_raw_files(world, "pixelrec", tmp_path, seed=5)
    out = normalised(tmp_path, "pixelrec")
    assert out.quality["rows_rejected"] == 0
    assert (len(out.interactions), len(out.items)) == (len(world.interactions), 80)
    times = sorted(int(row["timestamp"].timestamp()) for row in out.interactions)
    assert times == sorted(world.interactions["time"])
    titles = {item["title"] for item in out.items.values()}
    assert len(titles & set(world.items["title"])) > 70


@pytest.mark.parametrize("form", [_INTERACTION_CSV, _ITEM_INFO_CSV])
@given(lines=any_lines)
@settings(max_examples=30, deadline=None)
def test_any_lines_are_accounted_for(form, lines):
    check_account(form, lines)
