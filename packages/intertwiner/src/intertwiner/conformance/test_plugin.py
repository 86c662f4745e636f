"""One pytest item for each case of the plugin named by `--plugin`."""

from __future__ import annotations

import pytest

from intertwiner.conformance.cases import Case
from intertwiner.conformance.run import run_case

__all__ = ["test_plugin"]


def test_plugin(conformance_case: Case) -> None:
    outcome = run_case(conformance_case)
    if outcome.status == "skipped":
        pytest.skip(outcome.reason)
    if outcome.status == "failed":
        pytest.fail(str(outcome), pytrace=False)
