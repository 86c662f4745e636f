"""Bars have the heights, errors and names they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intertwiner.errors import RunError
from intertwiner.view import _extra, bars
from intertwiner.view.bars import draw_bars

matplotlib = pytest.importorskip("matplotlib")

PANELS = {
    "one": {"a": {"energy": (3.0, 0.5), "gap": (-1.0, None)}, "b": {"energy": (2.0, 0.1)}},
    "two": {"b": {"mean_gap": (4.0, 0.2)}},
}


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures drawn, as they are saved."""
    seen: list[Any] = []
    save = bars.save

    def spy(figure: Any, out: Path) -> Path:
        seen.append(figure)
        return save(figure, out)

    monkeypatch.setattr(bars, "save", spy)
    return seen


def test_every_bar_has_its_height_and_a_series_its_colour_in_all_panels(
    figures: list[Any], tmp_path: Path
) -> None:
    out = draw_bars(PANELS, tmp_path / "bars.png", label="change [%]")
    assert out.stat().st_size > 1000
    first, second = figures[0].axes
    assert [patch.get_height() for patch in first.patches] == [3.0, -1.0, 2.0]
    assert [patch.get_height() for patch in second.patches] == [4.0]
    assert first.patches[2].get_facecolor() == second.patches[0].get_facecolor()
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["a", "b"]
    assert (first.get_title(), first.get_ylabel()) == ("one", "change [%]")
    assert [text.get_text() for text in second.get_xticklabels()] == ["energy", "gap", "mean\ngap"]


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no bar to draw"):
        draw_bars({"empty": {"a": {}}}, tmp_path / "bars.png", label="")


def test_without_matplotlib_the_install_line_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_extra.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'intertwiner\[viz\]'"):
        draw_bars(PANELS, tmp_path / "bars.png", label="")
