"""Splitting a file into records: against the csv module, and against every known oddity."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviehouse.errors import SourceError
from moviehouse.model.sources import CREDITS, KEYWORDS, LINKS, MOVIES, RATINGS
from moviehouse.steps.header import read_header
from moviehouse.steps.records import stage
from moviehouse.steps.staged import Staged


def staged(folder: Path, content: bytes, source=KEYWORDS) -> tuple[Staged, list[tuple[int, int, int, int, list[str]]]]:
    path = folder / source.name
    path.write_bytes(content)
    header = read_header(path, source)
    out = stage(path, header, folder / "staged", lambda _: None)
    rows = []
    for chunk in out.chunks:
        with chunk.open(newline="", encoding="utf-8") as file:
            # Records in a chunk end with LF alone; the csv module would end one at a lone CR too.
            text = file.read()
        for fields in _parse(text):
            rows.append((*map(int, fields[:4]), fields[4:]))
    return out, rows


def _parse(text: str) -> list[list[str]]:
    """A second splitter, a character at a time, for staged text."""
    rows: list[list[str]] = []
    row, field, quoted, i = [], "", False, 0
    while i < len(text):
        c = text[i]
        if quoted:
            if c == '"' and text[i + 1 : i + 2] == '"':
                field += '"'
                i += 1
            elif c == '"':
                quoted = False
            else:
                field += c
        elif c == '"':
            quoted = True
        elif c == ",":
            row.append(field)
            field = ""
        elif c == "\n":
            rows.append([*row, field])
            row, field = [], ""
        else:
            field += c
        i += 1
    assert not field
    assert not row
    return rows


CELL = st.text(st.sampled_from("ab,\"\n\r 'é{}[]:1"), max_size=8)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=8), end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_well_formed_files_give_the_records_of_the_csv_module(tmp_path_factory, rows, end, last):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "keywords"])
    writer.writerows(rows)
    content = text.getvalue().encode()
    if not last:
        content = content.removesuffix(end.encode())
    out, found = staged(tmp_path_factory.mktemp("csv"), content)
    assert [tuple(row[-1]) for row in found] == rows
    assert not out.rejected
    assert out.records == len(rows)
    for _, line, offset, length, _ in found:
        assert line == 1 + content[:offset].count(b"\n")
        assert offset == 0 or content[offset - 1 : offset] == b"\n"
        assert content[offset + length : offset + length + 1] in (b"\n", b"\r", b"")


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200) | st.text(st.sampled_from('ab,"\n\r1\0'), max_size=60).map(str.encode))
def test_any_bytes_at_all_are_taken_or_rejected_and_none_is_lost(tmp_path_factory, body):
    head = b"id,keywords\n"
    out, found = staged(tmp_path_factory.mktemp("any"), head + body)
    assert out.records == len(found) + len(out.rejected)
    spans = sorted([(o, n) for _, _, o, n, _ in found])
    kept = b"".join((head + body)[o : o + n] for o, n in spans) + b"".join(r.raw for r in out.rejected)
    gaps = [b"\n", b"\r"]
    left = bytes(b for b in body if bytes([b]) not in gaps)
    assert sorted(left) == sorted(bytes(b for b in kept if bytes([b]) not in gaps))
    for rejected in out.rejected:
        assert rejected.raw in head + body
    lines = sorted([line for _, line, _, _, _ in found] + [r.line for r in out.rejected])
    assert len(set(lines)) == len(lines)


def test_a_lone_carriage_return_in_a_bare_field_is_data(tmp_path):
    _, rows = staged(tmp_path, b"id,keywords\n1,a\rb\n2,c\n")
    assert [r[-1] for r in rows] == [["1", "a\rb"], ["2", "c"]]
    assert [r[1] for r in rows] == [2, 3]


MOVIE_HEAD = ",".join(c.name for c in MOVIES.columns).encode() + b"\n"


def movie(id_: int, overview: bytes) -> bytes:
    fields = [b""] * 24
    fields[5], fields[9] = str(id_).encode(), overview
    return b",".join(fields) + b"\n"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_record_split_by_a_newline_in_a_bare_field_is_put_together(tmp_path, newline):
    content = MOVIE_HEAD + movie(1, b"x") + movie(2, b"first half" + newline + b"second half") + movie(3, b"y")
    out, rows = staged(tmp_path, content, MOVIES)
    assert [r[-1][5] for r in rows] == ["1", "2", "3"]
    assert rows[1][-1][9] == "first half" + newline.decode() + "second half"
    assert [r[1] for r in rows] == [2, 3, 5]
    assert [(m.line, m.reason) for m in out.mended] == [(3, "split_record")]
    assert not out.rejected


def test_two_short_records_that_make_no_valid_one_are_both_rejected(tmp_path):
    halves = movie(2, b"first\nsecond").replace(b",2,", b",1997-08-20,")
    out, rows = staged(tmp_path, MOVIE_HEAD + halves + movie(3, b"y"), MOVIES)
    assert [r[-1][5] for r in rows] == ["3"]
    assert [(r.line, r.reason) for r in out.rejected] == [(2, "wrong_field_count"), (3, "wrong_field_count")]


def test_a_quoted_field_is_no_half_of_a_split_record(tmp_path):
    content = b'cast,crew,id\n[],"["\n[],5\n[],[],7\n'
    out, rows = staged(tmp_path, content, CREDITS)
    assert [r[-1] for r in rows] == [["[]", "[]", "7"]]
    assert [r.reason for r in out.rejected] == ["wrong_field_count", "wrong_field_count"]


def test_a_stray_quote_costs_its_own_line_only(tmp_path):
    content = b"id,keywords\n1,[]\n2,\"[] oh\n3,\"[{'id': 1, 'name': 'a'}]\"\n4,[]\n"
    out, rows = staged(tmp_path, content)
    assert [r[-1][0] for r in rows] == ["1", "3", "4"]
    assert [(r.line, r.reason, r.raw) for r in out.rejected] == [(3, "malformed_quote", b'2,"[] oh')]


def test_a_last_stray_quote_costs_its_own_line_only(tmp_path):
    out, rows = staged(tmp_path, b'id,keywords\n1,"[] oh\n2,[]\n3,[]\n')
    assert [r[-1][0] for r in rows] == ["2", "3"]
    assert [r.reason for r in out.rejected] == ["malformed_quote"]


@pytest.mark.parametrize(
    ("tail", "line"), [(b"3,\"[{'id'", 4), (b'3,"[\nmore\nlines', 4), (b"3", 4)], ids=["quoted", "lines", "bare"]
)
def test_a_file_cut_in_a_record_rejects_that_one_record(tmp_path, tail, line):
    out, rows = staged(tmp_path, b"id,keywords\n1,[]\n2,[]\n" + tail)
    assert len(rows) == 2
    assert [(r.line, r.reason, r.raw) for r in out.rejected] == [(line, "truncated_record", tail)]


def test_bytes_that_are_not_utf8_and_nul_reject_the_record(tmp_path):
    out, rows = staged(tmp_path, b'id,keywords\n1,caf\xe9\n2,"a\0b"\n3,caf\xc3\xa9\n')
    assert [r[-1] for r in rows] == [["3", "café"]]
    assert [(r.line, r.reason, r.raw) for r in out.rejected] == [
        (2, "not_utf8", b"1,caf\xe9"),
        (3, "nul_byte", b'2,"a\0b"'),
    ]


def test_blank_lines_are_no_records_but_count_as_lines(tmp_path):
    out, rows = staged(tmp_path, b"\n\r\nid,keywords\n\n1,[]\n\r\n\n2,[]\n\n")
    assert [(r[0], r[1]) for r in rows] == [(1, 5), (2, 8)]
    assert out.records == 2


def test_a_byte_order_mark_and_crlf_are_no_data(tmp_path):
    _, rows = staged(tmp_path, b'\xef\xbb\xbfid,keywords\r\n1,[]\r\n2,"x\r\ny"\r\n')
    assert [r[-1] for r in rows] == [["1", "[]"], ["2", "x\r\ny"]]


def test_a_record_of_ten_megabytes(tmp_path):
    big, path = b"x" * 10_000_000, tmp_path / "keywords.csv"
    path.write_bytes(b'id,keywords\n1,[]\n2,"' + big + b'"\n3,[]\n')
    out = stage(path, read_header(path, KEYWORDS), tmp_path / "staged", lambda _: None)
    rows = b"".join(chunk.read_bytes() for chunk in out.chunks).splitlines()
    assert rows == [b"1,2,12,4,1,[]", b'2,3,17,10000004,2,"' + big + b'"', b"3,4,10000022,4,3,[]"]


@pytest.mark.long
def test_flat_files_are_staged_in_blocks_with_the_same_result(tmp_path):
    lines = [f"{i},{i % 97},3.5,{1000000000 + i}" for i in range(20_000)]
    lines[7_000] = "x,1,3.5,1"
    lines[13_000] = "13000,7,3.5"
    lines.insert(15_000, "")
    content = ("userId,movieId,rating,timestamp\n" + "\n".join(lines) + "\n").encode()
    out, rows = staged(tmp_path, content, RATINGS)
    assert out.records == 20_000
    assert len(rows) == 19_999
    for ordinal, line, offset, length, fields in rows:
        raw = content[offset : offset + length].decode()
        assert raw == ",".join(fields) == content.split(b"\n")[line - 1].decode()
        assert ordinal == line - 1 - (line > 15_001)
    assert [r.line for r in out.rejected] == [13_002]


def test_a_missing_required_column_is_a_clear_error(tmp_path):
    path = tmp_path / "links.csv"
    path.write_bytes(b"movieId,imdbId\n1,2\n")
    with pytest.raises(SourceError, match=r"links.csv: the required column tmdbId is missing"):
        read_header(path, LINKS)


def test_a_column_named_twice_is_a_clear_error(tmp_path):
    path = tmp_path / "links.csv"
    path.write_bytes(b"movieId,tmdbId,movieId\n1,2,3\n")
    with pytest.raises(SourceError, match="names movieId twice"):
        read_header(path, LINKS)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_header(tmp_path, content):
    path = tmp_path / "links.csv"
    path.write_bytes(content)
    assert read_header(path, LINKS) is None
