"""Where the published files come from, and how local copies of them are put in place."""

from __future__ import annotations

import csv
import gzip
import shutil
from pathlib import Path

import pytest

from vggss import sources
from vggss.errors import DataError, NetworkError
from vggss.fetching import Remote, is_right, sha256_of
from vggss.sources import ANNOTATIONS, VGGSOUND_ROWS, download_annotations, install_annotations
from vggss.storage import DataRoot

XML = b"<r><a><bbox><l/><n>1</n><n>2</n><n>3</n><n>4</n></bbox></a></r>"


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "root", "test")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Stand-ins for the published files, pinned as those are."""
    contents = {"vggss.json": b"[1]", "vggss_test.csv": b"a\n"}
    remotes = tuple(
        Remote(name, ("http://127.0.0.1:1/" + name,), sha256_of(c)) for name, c in contents.items()
    )
    monkeypatch.setattr(sources, "ANNOTATIONS", remotes)
    monkeypatch.setenv("no_proxy", "*")
    return contents


def in_place(root: DataRoot) -> set[str]:
    return {str(path.relative_to(root.path)) for path in root.path.rglob("*") if path.is_file()}


def test_a_file_under_its_own_name_is_put_in_place(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path
) -> None:
    for name, content in published.items():
        source = tmp_path / name
        source.write_bytes(content)
        assert install_annotations(source, root) == [(name, str(source))]
        assert root.annotation_file(name).read_bytes() == content


def test_a_file_under_another_name_counts_as_the_annotations(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path
) -> None:
    source = tmp_path / "vggss(1).json"
    source.write_bytes(published["vggss.json"])
    assert install_annotations(source, root) == [("vggss.json", str(source))]
    source.write_bytes(b"[2]")
    with pytest.raises(DataError, match=r"vggss\(1\).json is not the published vggss.json"):
        install_annotations(source, root)


def test_a_folder_is_searched_one_level_deep_and_its_top_first(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "vggss.json").write_bytes(b"an older one")
    (source / "vggss.json").write_bytes(published["vggss.json"])
    (source / "a" / "vggss_test.csv").write_bytes(published["vggss_test.csv"])
    done = install_annotations(source, root)
    assert done == [
        ("vggss.json", str(source / "vggss.json")),
        ("vggss_test.csv", str(source / "a" / "vggss_test.csv")),
    ]
    assert in_place(root) == {"annotations/vggss.json", "annotations/vggss_test.csv"}


@pytest.mark.parametrize("folder", ["", "annotations", "flickr/annotations", "Annotations"])
def test_flickr_xml_is_found_in_the_usual_places(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path, folder: str
) -> None:
    source = tmp_path / "source" / folder
    source.mkdir(parents=True)
    for name in ("1.xml", "2.xml"):
        (source / name).write_bytes(XML)
    done = install_annotations(tmp_path / "source", root)
    assert done == [("2 Flickr SoundNet XML files", str(source))]
    assert in_place(root) == {"flickr/annotations/1.xml", "flickr/annotations/2.xml"}


@pytest.mark.parametrize("broken", ["vggss.json", "vggss_test.csv", "1.xml", "2.xml"])
def test_one_broken_file_and_nothing_at_all_is_written(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path, broken: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, content in {**published, "1.xml": XML, "2.xml": XML}.items():
        (source / name).write_bytes(content[:-1] if name == broken else content)
    with pytest.raises(DataError, match=rf"{broken}.* is not (the published|valid XML)"):
        install_annotations(source, root)
    assert not root.path.exists()


def test_a_source_that_holds_nothing_known_is_refused(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="is not there; give a file"):
        install_annotations(tmp_path / "none", root)
    source = tmp_path / "source"
    source.mkdir()
    with pytest.raises(
        DataError, match=r"holds none of vggss.json, vggss_test.csv, and no Flickr SoundNet XML"
    ):
        install_annotations(source, root)
    (source / "vggss.json").mkdir()
    with pytest.raises(DataError, match=r"vggss.json is a folder; a file was needed"):
        install_annotations(source, root)
    with pytest.raises(DataError, match=r"cannot read xxx.*: File name too long"):
        install_annotations(Path("x" * 300), root)


def test_a_data_folder_that_cannot_be_made_is_told(
    published: dict[str, bytes], root: DataRoot, tmp_path: Path
) -> None:
    source = tmp_path / "vggss.json"
    source.write_bytes(published["vggss.json"])
    root.path.write_bytes(b"a file")
    with pytest.raises(DataError, match=r"cannot write .*annotations: Not a directory"):
        install_annotations(source, root)


def test_a_download_without_network_names_the_way_out(published: dict[str, bytes], root: DataRoot) -> None:
    with pytest.raises(NetworkError, match=r"cannot fetch vggss.json.*--from PATH"):
        download_annotations(root)


def test_a_download_fetches_only_what_is_not_there(published: dict[str, bytes], root: DataRoot) -> None:
    root.annotations.mkdir(parents=True)
    for name, content in published.items():
        root.annotation_file(name).write_bytes(content)
    assert download_annotations(root) == [(name, "already there") for name in published]


def the_list(rows: int) -> bytes:
    return b"".join(b"---g-f_I2yQ,%d,people marching,train\n" % i for i in range(rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not the whole VGG-Sound list: 0 rows"),
        (the_list(1000), "1,000 rows found, at least 199,000"),
        (the_list(VGGSOUND_ROWS) + b"x,1,y\n", "not the whole VGG-Sound list"),
        (the_list(VGGSOUND_ROWS) + b"x,1,y,validate\n", "not the whole VGG-Sound list"),
        (b"<html>" + b"x" * 200_000, "field larger than field limit"),
        (the_list(VGGSOUND_ROWS) + b'x,1,"y,' + b"z" * 200_000, "field larger than field limit"),
        (b"\x80\x81" * 1000, "not the whole VGG-Sound list"),
    ],
)
def test_another_list_than_the_whole_one_is_refused(content: bytes, message: str) -> None:
    (whole,) = (remote for remote in ANNOTATIONS if remote.name == "vggsound.csv")
    with pytest.raises(DataError, match=message):
        is_right(whole, content, "vggsound.csv")


def test_a_list_of_199000_rows_is_the_whole_one(tmp_path: Path, root: DataRoot) -> None:
    source = tmp_path / "vggsound.csv"
    source.write_bytes(the_list(VGGSOUND_ROWS))
    assert install_annotations(source, root) == [("vggsound.csv", str(source))]


def test_every_published_file_is_pinned_or_checked() -> None:
    for remote in ANNOTATIONS:
        assert remote.urls and all(url.startswith("https://") for url in remote.urls)
        assert (remote.sha256 is None) == (remote.check is not None)


def test_the_real_files_are_the_pinned_ones(test_data: Path, root: DataRoot) -> None:
    done = install_annotations(test_data, root)
    assert [name for name, _ in done] == [
        "vggss.json",
        "vggss_test.csv",
        "vggsound_test.csv",
        "249 Flickr SoundNet XML files",
    ]
    assert len(list(root.flickr.iterdir())) == 249
    assert sorted(p.name for p in root.annotations.iterdir()) == [
        "vggsound_test.csv",
        "vggss.json",
        "vggss_test.csv",
    ]
    assert install_annotations(test_data, root) == done


@pytest.mark.parametrize("name", ["vggss/vggss.json", "vggss/vggss_test.csv", "vggsound/vggsound_test.csv"])
def test_a_real_file_with_one_byte_changed_is_refused(
    test_data: Path, root: DataRoot, tmp_path: Path, name: str
) -> None:
    source = tmp_path / Path(name).name
    shutil.copy(test_data / name, source)
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    source.write_bytes(content)
    with pytest.raises(DataError, match="is not the published"):
        install_annotations(source, root)
    assert not root.path.exists()


def test_the_real_list_passes_the_check_of_its_content(test_data: Path) -> None:
    """199,116 of the 199,176 rows of the real list are at hand, with empty labels where unknown."""
    with gzip.open(test_data / "vggsound" / "vggsound_index.csv.gz", "rt", newline="") as table:
        rows = list(csv.reader(table))
    rows = [row for row in rows if row[-1] in ("train", "test")]
    assert len(rows) == 199_116
    content = "".join(f'{row[0]},{row[1]},"{row[2]}",{row[3]}\n' for row in rows).encode()
    (whole,) = (remote for remote in ANNOTATIONS if remote.name == "vggsound.csv")
    is_right(whole, content, "vggsound.csv")
