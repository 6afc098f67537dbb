"""Raw files are read where they lie: plain, gzip, or inside a zip or tar archive."""

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from itdr.datasets.normalise import normalise
from itdr.datasets.readers.files import find_file
from itdr.datasets.readers.lines import read_blocks
from itdr.errors import DataError, MissingFileError
from itdr.settings.dataset import load_dataset
from tests.normalised import normalised

VIEWS = b"item_id,user_id,timestamp\ni2,u1,1605059546\ni3,u1,abc\ni1,u2,1605059540\n"
VIDEOS = (
    b"item_id,view_number,comment_number,thumbup_number,share_number,coin_number,"
    b"favorite_number,barrage_number,title,tag,description\ni1,1.0,,,,,,,One,Dogs,\n"
)
FILES = {"data/interaction.csv": VIEWS, "data/item_info.csv": VIDEOS}
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


def _pack(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _check(out, prefix: str = "", ending: str = "") -> None:
    steps = [(row["user_id"], row["item_id"]) for row in out.interactions]
    assert steps == [("u1", "i2"), ("u2", "i1")]
    assert out.items["i1"]["title"] == "One"
    assert out.rejected == [
        {
            "file": f"{prefix}interaction.csv{ending}",
            "line": 3,
            "raw": "i3,u1,abc",
            "reason": "timestamp is not a whole number",
        }
    ]


@pytest.mark.parametrize("folder", ["", "a/b/"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_at_any_depth(tmp_path, folder, ending):
    (tmp_path / folder).mkdir(exist_ok=True, parents=True)
    for name, content in FILES.items():
        content = gzip.compress(content) if ending else content
        (tmp_path / folder / (Path(name).name + ending)).write_bytes(content)
    _check(normalised(tmp_path, "pixelrec"), folder, ending)


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_inside_the_original_archive(tmp_path, ending):
    _pack(tmp_path / "sub" / f"pixel{ending}", {"README": b"hello", **FILES})
    before = sorted(tmp_path.rglob("*"))
    out = normalised(tmp_path, "pixelrec")
    _check(out, f"sub/pixel{ending}/data/")
    unpacked = [p for p in tmp_path.rglob("*") if p not in before and "tables" not in p.parts]
    assert unpacked == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_gzip_files_inside_an_archive(tmp_path, ending):
    packed = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
    _pack(tmp_path / f"pixel{ending}", packed)
    _check(normalised(tmp_path, "pixelrec"), f"pixel{ending}/data/", ".gz")


def test_each_file_may_lie_in_an_archive_of_its_own(tmp_path):
    for name, content in FILES.items():
        _pack(tmp_path / f"{Path(name).stem}.zip", {name: content})
    _check(normalised(tmp_path, "pixelrec"), "interaction.zip/data/")


def test_an_unpacked_file_goes_before_an_archive(tmp_path):
    _pack(tmp_path / "pixel.zip", dict.fromkeys(FILES, b"damaged"))
    for name, content in FILES.items():
        (tmp_path / Path(name).name).write_bytes(content)
    _check(normalised(tmp_path, "pixelrec"))


def test_two_archives_with_the_file_are_refused(tmp_path):
    _pack(tmp_path / "one.zip", FILES)
    _pack(tmp_path / "two.tar.gz", FILES)
    with pytest.raises(DataError, match=r"2 files could be interaction.csv: .*one.zip/data/.*two"):
        normalise(load_dataset("pixelrec"), tmp_path, tmp_path / "out")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_with_the_file_twice_is_refused(tmp_path, ending):
    _pack(tmp_path / f"pixel{ending}", {**FILES, "old/interaction.csv": VIEWS})
    with pytest.raises(DataError, match=r"'interaction\.csv' stands twice"):
        normalise(load_dataset("pixelrec"), tmp_path, tmp_path / "out")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_without_the_file_does_not_help(tmp_path, ending):
    _pack(tmp_path / f"pixel{ending}", {"notinteraction.csv": VIEWS, "README": b""})
    with pytest.raises(MissingFileError, match=r"no interaction.csv .*itdr fetch pixelrec"):
        normalise(load_dataset("pixelrec"), tmp_path, tmp_path / "out")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_entry_that_climbs_out_is_refused(tmp_path, ending):
    _pack(tmp_path / f"pixel{ending}", {"../interaction.csv": VIEWS})
    with pytest.raises(DataError, match="climbs out of its folder"):
        find_file("pixelrec", tmp_path, "interaction.csv")


def test_a_link_in_an_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "pixel.tar", "w") as archive:
        info = tarfile.TarInfo("interaction.csv")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(info)
    with pytest.raises(DataError, match=r"'interaction\.csv' is no plain file"):
        find_file("pixelrec", tmp_path, "interaction.csv")


def test_an_entry_that_grows_out_of_all_proportion_is_refused(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "pixel.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("interaction.csv", "w", force_zip64=True) as entry,
    ):
        for _ in range(101):
            entry.write(bytes(1 << 20))
    with pytest.raises(DataError, match="-fold"):
        find_file("pixelrec", tmp_path, "interaction.csv")


@pytest.mark.parametrize("ending", [".gz", ".tar.gz"])
def test_a_gzip_file_that_grows_out_of_all_proportion_is_refused(tmp_path, monkeypatch, ending):
    monkeypatch.setattr("itdr.datasets.download.decompression.ALWAYS_ALLOWED", 1 << 20)
    rows = VIEWS + b"i1,u1,1605059540\n" * 200_000
    if ending == ".gz":
        (tmp_path / "interaction.csv.gz").write_bytes(gzip.compress(rows, 9))
    else:
        _pack(tmp_path / f"pixel{ending}", {"interaction.csv": rows})
    with pytest.raises(DataError, match="250-fold"):
        list(read_blocks(find_file("pixelrec", tmp_path, "interaction.csv")))


def test_compressing_twice_gains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("itdr.datasets.download.decompression.ALWAYS_ALLOWED", 1 << 20)
    twice = gzip.compress(VIEWS + b"i1,u1,1605059540\n" * 200_000, 9)
    _pack(tmp_path / "pixel.zip", {"interaction.csv.gz": twice})
    with pytest.raises(DataError, match="over 250-fold"):
        list(read_blocks(find_file("pixelrec", tmp_path, "interaction.csv")))


def test_a_tar_compressed_by_xz_is_refused(tmp_path):
    with tarfile.open(tmp_path / "pixel.tar", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("interaction.csv"))
    with pytest.raises(DataError, match="compressed in a way that is not read here"):
        find_file("pixelrec", tmp_path, "interaction.csv")


def test_a_line_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("itdr.datasets.readers.lines._LONGEST_LINE", 5000)
    (tmp_path / "interaction.csv").write_bytes(b"a,b\n" + b"x" * 9000)
    with pytest.raises(DataError, match=r"interaction\.csv: line 2 is longer than 5,000 bytes"):
        list(read_blocks(find_file("pixelrec", tmp_path, "interaction.csv"), size=1000))


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_that_is_cut_off_is_refused(tmp_path, ending):
    path = tmp_path / f"pixel{ending}"
    noise = {"data/interaction.csv": VIEWS + os.urandom(30_000).hex().encode()}
    _pack(path, noise)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DataError, match=rf"pixel{ending}.*(damaged|truncated|cut off)"):
        normalise(load_dataset("pixelrec"), tmp_path, tmp_path / "out")
    assert not (tmp_path / "out" / "quality.json").exists()


def test_a_wrong_checksum_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "pixel.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("interaction.csv", VIEWS)
    path.write_bytes(path.read_bytes().replace(b"1605059546", b"1605059547"))
    with pytest.raises(DataError, match="cut off, damaged or"):
        list(read_blocks(find_file("pixelrec", tmp_path, "interaction.csv")))


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"version https://git-lfs.github.com/spec/v1\n", "LFS pointer"), (b"<html>", "web page")],
)
def test_what_only_looks_like_an_archive_or_data_is_named(tmp_path, content, kind):
    (tmp_path / "pixel.zip").write_bytes(content)
    with pytest.raises(DataError, match=rf"pixel.zip: is a .*{kind}"):
        find_file("pixelrec", tmp_path, "interaction.csv")
    _pack(tmp_path / "pixel.zip", {"interaction.csv": content})
    with pytest.raises(DataError, match=rf"pixel.zip/interaction.csv: is a .*{kind}"):
        find_file("pixelrec", tmp_path, "interaction.csv")


def test_lines_inside_an_archive_come_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("itdr.datasets.readers.lines.BLOCK_BYTES", 1000)
    rows = b"".join(b"row %d\n" % number for number in range(5_000))
    for ending in ENDINGS:
        folder = tmp_path / ending.replace(".", "")
        _pack(folder / f"pixel{ending}", {"a": bytes(3_000), "x/interaction.csv": rows, "z": b"z"})
        read = []
        blocks = read_blocks(find_file("pixelrec", folder, "interaction.csv"), read.append)
        assert b"".join(block.data for block in blocks) == rows
        assert all(count >= 0 for count in read)


def test_an_archive_that_names_a_place_before_its_beginning_is_refused(tmp_path):
    path = tmp_path / "pixel.zip"
    _pack(path, {"interaction.csv": b"item_id,user_id,timestamp\n1,2,3\n"})
    data = bytearray(path.read_bytes())
    offset = int.from_bytes(data[-6:-2], "little")
    data[-6:-2] = (offset + 50).to_bytes(4, "little")  # of the list of entries, in the last record
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"pixel\.zip.*cut off, damaged"):
        find_file("pixelrec", tmp_path, "interaction.csv")


def _header(kind: bytes, size: int, name: str = "x") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME,
                                  tarfile.GNUTYPE_LONGLINK])  # fmt: skip
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("take", ["extract", "stream"])
def test_a_header_is_bounded_before_it_is_read(tmp_path, kind, packed, take):
    from itdr.datasets.download.archive import extract
    from itdr.datasets.readers.archive_stream import find_members

    path = tmp_path / "a.tar"
    data = _header(kind, 90 << 20) + bytes(90 << 20) + _header(tarfile.REGTYPE, 0, "a.csv")
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    del data
    tracemalloc.start()
    with pytest.raises(DataError, match=r"a\.tar: .*a header of 94,371,840 bytes; allowed"):
        if take == "extract":
            extract(path, {"a.csv": tmp_path / "a.csv"})
        else:
            find_members(path, ("a.csv",))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20


def test_a_long_name_is_read_as_before(tmp_path):
    path, name = tmp_path / "a.tar.gz", f"{'long/' * 60}interaction.csv"
    _pack(path, {name: VIEWS})
    from itdr.datasets.download.archive import extract

    assert extract(path, {"interaction.csv": tmp_path / "out.csv"}) == []
    assert (tmp_path / "out.csv").read_bytes() == VIEWS


def test_an_entry_that_asks_for_gigabytes_is_refused(tmp_path):
    from itdr.datasets.download.archive import extract

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.csv", VIEWS)
    data = path.read_bytes()
    at = data.index(b"\x5d\x00\x00\x80\x00")  # properties, and a dictionary of 8 MB
    path.write_bytes(data[: at + 1] + b"\xff\xff\xff\xff" + data[at + 5 :])
    with pytest.raises(DataError, match=r"'a\.csv' is compressed in a way that is not read here"):
        extract(path, {"a.csv": tmp_path / "a.csv"})
