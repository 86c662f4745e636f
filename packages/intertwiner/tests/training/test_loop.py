"""Training: it learns, it stops politely, it says what went wrong, and it resumes to the bit."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from intertwiner.data.batches import Batches
from intertwiner.errors import ConfigError, RunError
from intertwiner.training import loop
from intertwiner.training.loop import learning_rate
from intertwiner.training.settings import TrainingConfig
from intertwiner.training.tensors import load_tensors

MODEL, STATE = "model.safetensors", "training_state.safetensors"


def tensors(folder: Path, name: str) -> dict[str, torch.Tensor]:
    return load_tensors(folder / name)[0]


def assert_same_bits(one: Path, other: Path) -> None:
    """Both runs have the same model, average and optimiser, and the same figures."""
    for name in (MODEL, STATE):
        ours, theirs = tensors(one, name), tensors(other, name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert figures(one) == figures(other)


def figures(folder: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_training_lowers_the_error(run_toy, tmp_path):
    run_toy(tmp_path / "run", training={"epochs": 40, "average_decay": 0.9})
    errors = [float(row["validation/extent/mae [angstrom^2]"]) for row in figures(tmp_path / "run")]
    assert errors[-1] < 0.8 * errors[0]


def test_the_same_settings_give_the_same_bits(run_toy, tmp_path):
    run_toy(tmp_path / "one")
    torch.rand(7)  # what the caller drew before must not matter
    run_toy(tmp_path / "two")
    assert_same_bits(tmp_path / "one", tmp_path / "two")


def test_another_seed_gives_other_weights(run_toy, tmp_path):
    run_toy(tmp_path / "one")
    run_toy(tmp_path / "two", training={"seed": 1})
    assert not torch.equal(
        *(tensors(tmp_path / name, MODEL)["network.0.weight"] for name in ("one", "two"))
    )


def test_the_callers_random_numbers_and_threads_are_left_alone(run_toy, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    run_toy(tmp_path / "run", training={"threads": threads + 1})
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.fault("F07")
@pytest.mark.parametrize("stop_at", [1, 4, 6, 11])
def test_a_run_stopped_at_any_step_resumes_to_the_same_bits(
    run_toy, tmp_path, monkeypatch, stop_at
):
    """Dropout, shuffling, the averaged weights and the schedule are all in play."""
    settings = {"model": {"dropout": 0.3}, "training": {"weight_decay": 0.1}}
    run_toy(tmp_path / "whole", **settings)
    stop_after(monkeypatch, stop_at)
    assert not run_toy(tmp_path / "parts", **settings).finished
    monkeypatch.undo()
    assert run_toy(tmp_path / "parts", resume=True, **settings).finished
    assert_same_bits(tmp_path / "whole", tmp_path / "parts")


def stop_after(monkeypatch, steps: int) -> None:
    """The process receives a real SIGTERM in step number `steps`."""
    original = loop._Loop._step

    def step(self, batch):
        if self.counters.total + 1 == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch)

    monkeypatch.setattr(loop._Loop, "_step", step)


def test_sigterm_reaches_the_callers_own_handler_again_after_training(run_toy, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    run_toy(tmp_path / "run")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.fault("F08")
def test_a_loss_that_is_not_finite_names_step_and_record_and_keeps_the_state(run_toy, tmp_path):
    poisoned = {"data": {"poison": 3}}
    with pytest.raises(RunError) as caught:
        run_toy(tmp_path / "run", training={"epochs": 2}, **poisoned)
    text = str(caught.value)
    assert "epoch 1 at step" in text
    assert "pair-" in text
    assert "learning_rate" in text
    run_toy(tmp_path / "good", training={"epochs": 1})
    state = (tmp_path / "good" / STATE).read_bytes()
    with pytest.raises(RunError, match="other settings.*data.poison: None stored, 3 here"):
        run_toy(tmp_path / "good", resume=True, training={"epochs": 1}, **poisoned)
    assert (tmp_path / "good" / STATE).read_bytes() == state


@pytest.mark.fault("F08")
def test_a_loss_that_turns_nan_later_keeps_the_last_good_state(run_toy, tmp_path, monkeypatch):
    original = loop.Objective.forward
    calls = []

    def forward(self, batch):
        calls.append(1)
        return original(self, batch) * (float("nan") if len(calls) > 8 else 1.0)

    monkeypatch.setattr(loop.Objective, "forward", forward)
    with pytest.raises(RunError, match="loss became nan in epoch 2 at step 9.*is kept in"):
        run_toy(tmp_path / "run")
    record = load_tensors(tmp_path / "run" / STATE)[1]
    assert record["counters"]["total"] == 6
    assert all(tensor.isfinite().all() for tensor in tensors(tmp_path / "run", STATE).values())


def test_a_second_run_in_the_same_folder_is_refused(run_toy, tmp_path):
    run_toy(tmp_path / "run")
    before = (tmp_path / "run" / MODEL).read_bytes()
    with pytest.raises(RunError, match="--resume"):
        run_toy(tmp_path / "run")
    assert (tmp_path / "run" / MODEL).read_bytes() == before


def test_resuming_a_finished_run_changes_nothing(run_toy, tmp_path):
    run_toy(tmp_path / "run")
    before = (tmp_path / "run" / STATE).read_bytes()
    assert run_toy(tmp_path / "run", resume=True).finished
    assert (tmp_path / "run" / STATE).read_bytes() == before


@pytest.mark.fault("F10")
def test_a_folder_that_cannot_be_made_names_the_flag(run_toy, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file.*--out"):
        run_toy(tmp_path / "file" / "run")


def test_the_schedule_warms_up_and_falls_to_nothing():
    settings = TrainingConfig(learning_rate=1.0, warmup_steps=4)
    rates = [learning_rate(settings, step, 104) for step in range(104)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 1e-3
    constant = TrainingConfig(learning_rate=0.5, schedule="constant")
    assert {learning_rate(constant, step, 9) for step in range(9)} == {0.5}


def test_a_batch_that_two_processes_cannot_share_is_refused():
    from intertwiner.training.environment import records_per_rank

    assert records_per_rank(8, 2) == 4
    with pytest.raises(ConfigError, match=r"training\.batch_size: 9"):
        records_per_rank(9, 2)


def train_command(folder: Path, *more: str) -> list[str]:
    settings = ["--training.epochs", "4", "--training.batch_size", "8", "--model.dropout", "0.3"]
    machine = ["--training.accelerator", "cpu", "--training.threads", "1", "--quiet"]
    verb = ["train", "distance-net", "pairs", "--out", str(folder)]
    return ["-m", "intertwiner", *verb, *settings, *machine, *more]


def launch(environment, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, errors = process.communicate(timeout=120)
    return process.returncode, out + errors


@pytest.mark.fault("F07")
def test_two_processes_under_torchrun_resume_to_the_same_bits(tmp_path, toy_environment_of):
    environment = toy_environment_of()
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    code, text = finish(launch(environment, *TORCHRUN, *train_command(whole)))
    assert code == 0, text
    stopping = toy_environment_of(TOY_STOP_AT="5")
    code, text = finish(launch(stopping, *TORCHRUN, *train_command(parts)))
    assert code == 0, text
    assert load_tensors(parts / STATE)[1]["counters"]["total"] == 5
    code, text = finish(launch(environment, *TORCHRUN, *train_command(parts, "--resume")))
    assert code == 0, text
    assert_same_bits(whole, parts)


def is_running(pid: int) -> bool:
    """Whether the process is still at work a few seconds from now; one merely unreaped is not."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return False
        time.sleep(0.1)
    return True


def wait_for_state(folder: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        if (folder / STATE).exists() or process.poll() is not None:
            return
        time.sleep(0.05)


@pytest.mark.fault("F06")
@pytest.mark.parametrize("target", ["one rank", "launcher"])
def test_sigterm_to_one_rank_or_to_the_launcher_saves_and_stops_every_rank(
    tmp_path, toy_environment_of, target
):
    folder = tmp_path / "run"
    more = ("--training.devices", "2", "--training.epochs", "100000")
    process = launch(toy_environment_of(TOY_PIDS=str(tmp_path)), *train_command(folder, *more))
    wait_for_state(folder, process)
    ranks = {path.name: int(path.read_text()) for path in tmp_path.glob("rank-*")}
    os.kill(ranks["rank-1"] if target == "one rank" else process.pid, signal.SIGTERM)
    code, text = finish(process)
    assert code == 0, text
    assert "--resume" in text
    assert len(ranks) == 2
    assert not any(map(is_running, ranks.values()))
    assert load_tensors(folder / STATE)[1]["counters"]["total"] > 0


@pytest.mark.fault("F06")
def test_sigterm_to_torchrun_saves_on_every_rank_and_resume_continues(tmp_path, toy_environment_of):
    folder = tmp_path / "run"
    endless = ("--training.epochs", "100000")
    process = launch(toy_environment_of(), *TORCHRUN, *train_command(folder, *endless))
    wait_for_state(folder, process)
    process.send_signal(signal.SIGTERM)
    finish(process)
    steps = load_tensors(folder / STATE)[1]["counters"]["total"]
    assert steps > 0
    stopping = toy_environment_of(TOY_STOP_AT="3")
    code, text = finish(launch(stopping, *TORCHRUN, *train_command(folder, *endless, "--resume")))
    assert code == 0, text
    assert load_tensors(folder / STATE)[1]["counters"]["total"] == steps + 3


def test_every_record_is_seen_once_in_an_epoch_by_two_ranks(registry):
    from intertwiner.training.task import build_config, build_task

    task = build_task(registry, build_config(registry, "distance-net", "pairs"))
    records = task.parts["train"]
    seen = [
        name
        for rank in range(2)
        for batch in Batches(records, 4, shuffle=True, rank=rank, world_size=2).epoch(1)
        for name in batch.name
    ]
    assert sorted(seen) == sorted(record.name for record in records)
