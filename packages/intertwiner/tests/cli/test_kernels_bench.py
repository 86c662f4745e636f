"""`intertwiner kernels bench`: who serves, how long it takes, and how far it is from the floor."""

from __future__ import annotations

import json
from collections import Counter


def test_bench_says_who_serves_and_the_floors(command):
    done = command("kernels", "bench", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    (toy,) = (row for row in rows if row["op"] == "toy_square")
    assert toy["serves"]
    assert toy["bytes"] == 2 * 5 * 4
    assert toy["operations"] == 5
    serving = Counter(row["op"] for row in rows if row["serves"])
    assert set(serving.values()) == {1}
    for row in rows:
        floor = max(row["floor_bytes_s"], row["floor_operations_s"])
        assert row["times_floor"] == row["ours_s"] / floor
