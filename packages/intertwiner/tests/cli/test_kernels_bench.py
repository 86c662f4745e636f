"""`intertwiner kernels bench`: who serves, how long it takes, and how far it is from the floor."""

from __future__ import annotations

import json
from collections import Counter


def test_bench_says_who_serves_and_the_floors(command):
    done = command("kernels", "bench", "toy_square", "--json")
    assert done.returncode == 0, done.stderr
    (toy,) = json.loads(done.stdout)["rows"]
    assert toy["serves"]
    assert toy["bytes"] == 2 * 5 * 4
    assert toy["operations"] == 5
    floor = max(toy["floor_bytes_s"], toy["floor_operations_s"])
    assert toy["times_floor"] == toy["ours_s"] / floor
    shown = command("kernels", "bench", "toy_square").stdout.splitlines()
    assert shown[0].split()[:3] == ["op", "kernel", "serves"]
    assert shown[2].split()[:3] == ["toy_square", "toy/square-plain", "yes"]


def test_one_kernel_serves_every_operation_on_a_device(command):
    rows = json.loads(command("kernels", "list", "--json").stdout)["rows"]
    serving = Counter((row["op"], row["device"]) for row in rows if row["state"] == "serves")
    assert set(serving.values()) == {1}
    assert ("toy_square", "cpu") in serving


def test_an_unknown_operation_gets_the_nearest(command):
    refused = command("kernels", "bench", "toy_sqare")
    assert refused.returncode == 2
    assert "no kernel serves 'toy_sqare'; did you mean 'toy_square'" in refused.stderr
