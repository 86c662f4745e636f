from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intertwiner.errors import RunError
from intertwiner.view import _extra, curves
from intertwiner.view.curves import draw_curves, read_metrics

matplotlib = pytest.importorskip("matplotlib")

HEADER = "epoch,step,seconds,train/loss,validation/loss,validation/dipole/mae [debye]"
ROWS = ["1,10,0.5,2.0,3.0,1.5", "2,20,1.0,1.0,1.5,0.9", "3,30,1.5,0.4,0.8,0.5"]


def metrics(folder: Path, *rows: str, header: str = HEADER, name: str = "metrics.csv") -> Path:
    (folder / name).write_text("\n".join([header, *(rows or ROWS)]) + "\n")
    return folder / name


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures drawn, as they are saved."""
    seen: list[Any] = []
    save = curves.save

    def spy(figure: Any, out: Path) -> Path:
        seen.append(figure)
        return save(figure, out)

    monkeypatch.setattr(curves, "save", spy)
    return seen


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_picture_is_a_png_with_something_on_it(tmp_path: Path) -> None:
    out = draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png")
    image = matplotlib.image.imread(out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert image.shape[:2] == (555, 1440)
    assert image.std() > 0.05


def test_losses_share_a_panel_and_other_metrics_have_their_own(
    tmp_path: Path, figures: list[Any]
) -> None:
    draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png")
    loss, dipole = figures[0].axes
    assert len(loss.lines) == 2
    assert len(dipole.lines) == 1
    assert loss.get_ylabel() == "loss"
    assert loss.get_xlabel() == "epoch"


def test_the_unit_of_the_column_is_on_the_axis(tmp_path: Path, figures: list[Any]) -> None:
    draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png")
    assert figures[0].axes[1].get_ylabel() == "validation dipole MAE [debye]"


def test_seeds_of_an_arm_share_its_colour_and_legend(tmp_path: Path, figures: list[Any]) -> None:
    path = metrics(tmp_path)
    runs = {f"{arm}/{seed}": path for arm in ("lmax 0", "lmax 1") for seed in (0, 1)}
    draw_curves(runs, tmp_path / "curves.png")
    colours = [line.get_color() for line in figures[0].axes[1].lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert legend(figures[0]) == ["lmax 0 (2 seeds)", "lmax 1 (2 seeds)", "validation", "training"]


def test_positive_values_have_a_logarithmic_axis(tmp_path: Path, figures: list[Any]) -> None:
    draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png")
    assert {axes.get_yscale() for axes in figures[0].axes} == {"log"}


def test_a_likelihood_below_zero_has_a_linear_axis(tmp_path: Path, figures: list[Any]) -> None:
    path = metrics(tmp_path, "1,-0.5", "2,-3.5", header="epoch,train/loss")
    draw_curves({"run": path}, tmp_path / "curves.png")
    assert figures[0].axes[0].get_yscale() == "linear"


def test_a_single_epoch_is_a_point_one_can_see(tmp_path: Path, figures: list[Any]) -> None:
    draw_curves({"run": metrics(tmp_path, ROWS[0])}, tmp_path / "curves.png")
    assert figures[0].axes[0].lines[0].get_marker() == "o"


def test_an_empty_cell_is_a_gap(tmp_path: Path) -> None:
    path = metrics(tmp_path, "1,2.0", "2,", "3,1.0", header="epoch,train/loss")
    assert str(read_metrics(path)["train/loss"]) == "[2.0, nan, 1.0]"
    draw_curves({"run": path}, tmp_path / "curves.png")


@pytest.mark.parametrize("wanted", ["validation/dipole/mae", "validation/dipole/mae [debye]"])
def test_columns_are_chosen_with_or_without_unit(
    tmp_path: Path, figures: list[Any], wanted: str
) -> None:
    draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png", columns=[wanted])
    assert [axes.get_ylabel() for axes in figures[0].axes] == ["validation dipole MAE [debye]"]


def test_an_unknown_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"'validation/energy'; there are .*validation/dipole/mae"):
        draw_curves({"run": metrics(tmp_path)}, tmp_path / "x.png", columns=["validation/energy"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no epoch is recorded"),
        ([HEADER], "no epoch is recorded"),
        ([HEADER, "1,10,0.5,high,3.0,1.5"], r"line 2, column 'train/loss': 'high' is no number"),
        (["a,b", "1,2"], "no epoch is recorded"),
        (["epoch,seconds", "1,2"], "no metric to draw"),
    ],
)
def test_a_file_that_has_no_curves_is_named(tmp_path: Path, rows: list[str], message: str) -> None:
    (tmp_path / "metrics.csv").write_text("\n".join(rows))
    with pytest.raises(RunError, match=message):
        draw_curves({"run": tmp_path / "metrics.csv"}, tmp_path / "curves.png")


@pytest.mark.fault("F04")
def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("absent.csv", "binary.csv", "."):
        with pytest.raises(RunError, match="no metrics can be read"):
            read_metrics(tmp_path / name)


@pytest.mark.fault("F10")
def test_a_missing_folder_for_the_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="absent"):
        draw_curves({"run": metrics(tmp_path)}, tmp_path / "absent" / "curves.png")


def test_without_the_extra_the_install_line_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_extra.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RunError, match=r"pip install 'intertwiner\[viz\]'"):
        draw_curves({"run": metrics(tmp_path)}, tmp_path / "curves.png")
