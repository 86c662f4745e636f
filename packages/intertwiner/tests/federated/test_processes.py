"""Clients in processes of their own: real deaths, real hangs, and the same bits as in one."""

from __future__ import annotations

import json
import multiprocessing

import pytest
import torch

from intertwiner.federated.state import STATE
from intertwiner.training.tensors import load_tensors


@pytest.mark.fault("F60")
def test_the_round_goes_on_when_clients_are_killed_hang_or_raise(federation, tmp_path):
    settings = {"clients": 5, "rounds": 1, "processes": 3, "deadline_s": 12.0}
    outcome = federation(tmp_path / "run", "mortal", federation=settings)
    assert outcome.finished
    for report in json.loads((tmp_path / "run" / "rounds.json").read_text()):
        assert report["accepted"] == ["client-0", "client-4"]
        assert report["failed"]["client-1"] == "its process died (exit code -9)"
        assert report["failed"]["client-3"] == "MemoryError: out of memory"
        assert report["missing"] == ["client-2"]
        assert report["seconds"] < 60
    assert not multiprocessing.active_children()


def test_worker_processes_give_the_bits_of_one_process(federation, tmp_path):
    for count in (0, 2):
        federation(
            tmp_path / str(count),
            "near",
            model={"dropout": 0.3},
            federation={"rounds": 2, "processes": count, "clients": 3},
        )
    one, other = (load_tensors(tmp_path / name / STATE)[0] for name in ("0", "2"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
