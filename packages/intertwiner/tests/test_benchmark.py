"""A benchmark row says the ratio of the two sides and whether it is what was asked for."""

from __future__ import annotations

import itertools
import json

import pytest

from intertwiner import benchmark


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves only when a side of the comparison moves it."""
    now = [0.0]
    for name in ("process_time", "perf_counter"):
        monkeypatch.setattr(benchmark.time, name, lambda: now[0])

    def side(*seconds):
        times = itertools.cycle(seconds)

        def work():
            now[0] += next(times)

        return work

    return side


def test_the_ratio_is_the_others_time_over_ours(clock):
    row = benchmark.compare("x", clock(2.0), clock(6.0), against="slow", repeats=5, required=2.5)
    assert row.ratio == pytest.approx(3.0)
    assert (row.ours_s, row.other_s) == (pytest.approx(2.0), pytest.approx(6.0))
    assert row.holds


def test_a_ratio_below_what_is_required_does_not_hold(clock):
    row = benchmark.compare("x", clock(2.0), clock(3.0), against="b", repeats=3, required=2.0)
    assert row.holds is False


def test_the_first_run_of_each_side_does_not_count(clock):
    ours = clock(*([100.0] + [1.0] * 9))
    row = benchmark.compare("x", ours, clock(2.0), against="b", repeats=9)
    assert row.ratio == pytest.approx(2.0)
    assert row.holds is None


def test_json_has_the_promised_form(clock, capsys):
    rows = [benchmark.compare("x", clock(1.0), clock(2.0), against="b", repeats=2)]
    benchmark.main("", lambda repeats: rows, ["--json"])
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "threads", "rows"}
    assert set(found["rows"][0]) == {
        "name", "ours_s", "other", "other_s", "ratio", "low", "high", "required", "holds",
    }  # fmt: skip
