"""VIA 2's CSV: VIA's own quoting, spreadsheets, and lines that cannot be read."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from via_cases import FILES, batch, images, words

from vggss.errors import DataError
from vggss.pipeline.via import ViaImage, ViaProject, ViaRegion, read_via, write_via2_csv
from vggss.pipeline.via.via2_csv import COLUMNS, read_csv

HEADER = ",".join(COLUMNS)
EXPORT = (FILES / "via2_export.csv").read_bytes()

names = words.filter(lambda name: not set(name) & set(',"\r\n\t;') and name == name.strip(" #\ufeff"))


def plain(name: str) -> bool:
    return name.isprintable() and not name.startswith("#")


@given(images(names, loose=False).filter(lambda found: len({i.image_id for i in found}) == len(found)))
def test_csv_comes_back_as_it_was_written(pictures: tuple[ViaImage, ...]) -> None:
    found = read_via(write_via2_csv(ViaProject(images=pictures)), "p.csv")
    assert found.images == pictures
    assert (found.form, found.notes) == ("csv", ())


def test_csv_that_via_exported_is_what_we_wrote() -> None:
    found = read_via(EXPORT, "p.csv")
    assert found.images == batch().images
    assert found.notes == ()


def test_our_csv_is_vias_but_for_how_whole_numbers_are_written() -> None:
    assert write_via2_csv(read_via(EXPORT, "p.csv")) == EXPORT


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_spreadsheet_may_save_it_again(separator: str, encoding: str, end: str) -> None:
    rows = list(csv.reader(io.StringIO(EXPORT.decode())))
    saved = io.StringIO()
    csv.writer(saved, delimiter=separator, lineterminator=end).writerows(rows)
    assert read_via(saved.getvalue().encode(encoding), "p.csv").images == batch().images


@given(st.text(min_size=1, max_size=20).filter(plain))
def test_a_spreadsheets_quotes_keep_any_name(name: str) -> None:
    saved = io.StringIO()
    csv.writer(saved, lineterminator="\n").writerows([COLUMNS, (name, 5, "{}", 0, 0, "{}", "{}")])
    if (
        '"' not in name or "," in name
    ):  # VIA writes names without quotes, so that quotes in them are ambiguous
        assert read_via(saved.getvalue().encode(), "p.csv").images == (ViaImage(name, 5),)


def test_a_name_with_commas_that_via_wrote_unquoted_is_put_together() -> None:
    content = f'{HEADER}\na, b,c.jpg,5,"{{""k"":""x,y""}}",0,0,"{{}}","{{}}"'
    assert read_via(content.encode(), "f").images == (ViaImage("a, b,c.jpg", 5, {"k": "x,y"}),)


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a\nb", "a;b", "#a", " a", "a "])
def test_names_that_vias_csv_would_lose_are_not_written(name: str) -> None:
    with pytest.raises(DataError, match="cannot carry the file name"):
        write_via2_csv(ViaProject(images=(ViaImage(name),)))


def test_names_and_sizes_that_via_would_confuse_are_not_written() -> None:
    with pytest.raises(DataError, match="two pictures are a12 "):
        write_via2_csv(ViaProject(images=(ViaImage("a", 12, key="x"), ViaImage("a1", 2, key="y"))))


def test_comments_blank_lines_empty_columns_and_the_header_of_via_1_are_passed_over() -> None:
    content = f'# by hand\n#{HEADER},,\n\n# more\n,,,,,,\na.jpg,,"{{}}",0,0,"{{}}","{{}}",,\n'
    assert read_via(content.encode(), "f").images == (ViaImage("a.jpg"),)


def test_columns_may_stand_in_another_order_and_others_are_kept() -> None:
    content = "reviewed," + ",".join(reversed(COLUMNS)) + '\nyes,{},"{""name"":""point""}",0,1,{},9,a.jpg\n'
    region = ViaRegion({"name": "point"}, {}, {"reviewed": "yes"})
    assert read_via(content.encode(), "f").images == (ViaImage("a.jpg", 9, {}, (region,)),)


def test_lines_that_a_spreadsheet_lost_are_a_fault_of_their_picture() -> None:
    lines = EXPORT.decode().split("\n")
    found = read_via("\n".join([lines[0], *lines[2:]]).encode(), "f")
    assert [picture.fault for picture in found.images if picture.fault] == [
        "line 2: it should have 5 regions, the file has 4; lines were lost, export it again from VIA"
    ]
    assert found.notes == ()


def test_other_attributes_of_the_same_picture_are_said_and_the_last_count() -> None:
    rows = [f'a.jpg,1,"{{""k"":{k}}}",2,{k},"{{""name"":""point""}}","{{}}"' for k in (0, 1)]
    found = read_via("\n".join([HEADER, *rows]).encode(), "f")
    assert found.images[0].attributes == {"k": 1}
    assert found.notes == ("line 3: a.jpg has other file attributes than above; the last count",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg,1", "f, line 3: 2 cells, needed 7"),
        (',1,"{}",0,0,"{}","{}"', "line 3: no file name"),
        ('a.jpg,big,"{}",0,0,"{}","{}"', "line 3: its size is 'big'"),
        ('a.jpg,1,"{}",1,0,"{""x"":}","{}"', "line 3, region_shape_attributes, line 1, column 6: not JSON"),
        ('a.jpg,1,"{}",1,0,rect,"{}"', "line 3: region_shape_attributes is 'rect', needed JSON in braces"),
        ('a.jpg,1,"{""k"":1,""k"":2}",1,0,{},"{}"', "line 3, file_attributes: the key 'k' stands twice"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, message: str) -> None:
    good = 'b.jpg,1,"{}",0,0,"{}","{}"'
    with pytest.raises(DataError, match=message):
        read_via(f"{HEADER}\n{good}\n{line}\n".encode(), "f")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("file_size,", ""), "line 1: no column file_size"),
        (HEADER + ",filename", "line 1: a column stands twice"),
    ],
)
def test_a_header_without_vias_columns_is_refused(header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_via(header.encode(), "f")


def test_a_cell_may_hold_a_line_end_and_a_quote_without_an_end_spoils_its_own_line_alone() -> None:
    rows = ['"a\nb.jpg",1,{},0,0,{},{}', "c.jpg,1,{},0,0,{},{}"]
    found = read_via("\n".join([HEADER, *rows]).encode(), "f")
    assert [picture.filename for picture in found.images] == ["a\nb.jpg", "c.jpg"]
    with pytest.raises(DataError, match="f, line 2: 1 cells"):
        read_via("\n".join([HEADER, '"a', *rows[1:]]).encode(), "f")


def test_quotes_inside_a_cell_without_quotes_are_part_of_it() -> None:
    content = f'{HEADER}\n"a"b.jpg,1,{{}},,0,{{}},"{{}}"\n'
    assert read_via(content.encode(), "f").images == (ViaImage('"a"b.jpg', 1),)


def test_text_without_a_header_is_refused() -> None:
    with pytest.raises(DataError, match="f, line 1: no header; VIA's CSV begins with filename,file_size"):
        read_csv("a.jpg,1", "f")
