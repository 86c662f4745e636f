"""The pictures of a run folder: learning curves, and a page that holds them."""

from __future__ import annotations

import logging
from pathlib import Path

from intertwiner.errors import RunError
from intertwiner.training.folder import METRICS, RunFolder

__all__ = ["draw_run"]

_log = logging.getLogger(__name__)


def draw_run(path: Path, out: Path | None = None) -> list[Path]:
    """Draws `curves.png` (or `out`) and writes `report.html` in the run folder `path`.

    Without matplotlib the curves are left out, and said so. Raises `RunError` when there is no
    run at `path`.
    """
    from intertwiner.view.curves import draw_curves
    from intertwiner.view.report import write_report

    stored = RunFolder(path).read_config()
    if not (path / METRICS).exists():
        raise RunError(f"{path / METRICS}: no epoch is finished yet, so there is nothing to draw")
    try:
        pictures = [draw_curves({path.name: path / METRICS}, out or path / "curves.png")]
    except RunError as error:
        _log.warning("no curves: %s", error)
        return []
    title = f"{stored['model_id']} on {stored['dataset_id']}"
    rows = [
        (f"{section}.{name}", str(value))
        for section in ("model", "data", "training")
        for name, value in stored[section].items()
    ]
    page = write_report(path, title, [(("setting", "value"), tuple(rows))], pictures)
    return [*pictures, page]
