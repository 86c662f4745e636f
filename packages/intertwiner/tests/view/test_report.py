from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import RunError
from intertwiner.view.report import write_report

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


class Reader(HTMLParser):
    """The tags of a page, and the text in its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag in ("td", "th", "h1", "p"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("td", "th", "h1", "p"):
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.tags.append("/" + tag)


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    return reader


@given(title=text, cells=st.lists(text, min_size=2, max_size=2), note=text)
def test_all_text_comes_back_as_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, title: str, cells: list[str], note: str
) -> None:
    table = (("name", "value"), [cells])
    page = write_report(tmp_path_factory.mktemp("run"), title, [table], notes=[note])
    assert read(page).cells == [title, "name", "value", *cells, note]


def test_a_script_in_the_text_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    page = write_report(tmp_path, evil, [((evil,), [(evil,)])], notes=[evil])
    tags = read(page).tags
    assert "script" not in tags
    assert "img" not in tags


def test_pictures_are_inside_the_page(tmp_path: Path) -> None:
    (tmp_path / "a&b.png").write_bytes(b"\x89PNG not really")
    page = write_report(tmp_path, "title", [], [tmp_path / "a&b.png"]).read_text("utf-8")
    (data,) = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert base64.b64decode(data) == b"\x89PNG not really"
    assert "a&amp;b.png" in page
    assert "http" not in page


def test_numbers_are_shown_as_they_are(tmp_path: Path) -> None:
    page = write_report(tmp_path, "title", [(("n",), [(3,), (0.25,)])])
    assert read(page).cells == ["title", "n", "3", "0.25"]


def test_a_page_to_turn_about_is_linked(tmp_path: Path) -> None:
    page = write_report(tmp_path, "title", [], [tmp_path / "molecules.html"])
    assert '<a href="molecules.html">' in page.read_text("utf-8")


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"absent\.png: the picture cannot be read"):
        write_report(tmp_path, "title", [], [tmp_path / "absent.png"])


@pytest.mark.fault("F10")
def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="absent"):
        write_report(tmp_path / "absent", "title", [])
