"""A run folder gets its curves and its page, or says why not."""

from __future__ import annotations

import pytest
import yaml

from intertwiner.errors import RunError
from intertwiner.view.run import draw_run

CONFIG = {"model_id": "a/m", "dataset_id": "b/d", "model": {"x": 1}, "data": {}, "training": {}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path


def test_curves_and_page_are_drawn(folder):
    pytest.importorskip("matplotlib")
    (folder / "metrics.csv").write_text(
        "epoch,step,seconds,train/loss,validation/loss\n1,5,0.1,2.0,1.5\n2,10,0.2,1.0,0.9\n"
    )
    assert [path.name for path in draw_run(folder)] == ["curves.png", "report.html"]
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "a/m on b/d" in (folder / "report.html").read_text()


def test_a_run_without_a_finished_epoch_has_nothing_to_draw(folder):
    with pytest.raises(RunError, match="no epoch is finished yet"):
        draw_run(folder)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        draw_run(tmp_path)
