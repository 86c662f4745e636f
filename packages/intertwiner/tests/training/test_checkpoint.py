"""A model on disk is the model, whole, or the reader says what it is not."""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from intertwiner.atomic import remove_orphans
from intertwiner.errors import RunError
from intertwiner.registry import Plugin, Registry
from intertwiner.training.checkpoint import differences, load_model, save_model
from intertwiner.training.run import load_run
from intertwiner.training.task import build_config, build_model, build_task
from intertwiner.training.tensors import load_tensors, save_tensors

WEIGHTS = "model.safetensors"


@pytest.fixture
def task(registry):
    return build_task(registry, build_config(registry, "distance-net", "pairs"))


@pytest.fixture
def saved(task, tmp_path):
    """A folder with a model in it."""
    model = build_model(task.found.model, task.config.model_settings, task.schema)
    save(task, model, tmp_path)
    return tmp_path


def save(task, model, folder):
    return save_model(folder, model, task.found.model, task.config.model_settings, task.schema)


def rewrite(folder, **changes) -> None:
    """Stores the same tensors with another record."""
    tensors, record = load_tensors(folder / WEIGHTS)
    save_tensors(folder / WEIGHTS, tensors, {**record, **changes})


def with_model(registry: Registry, **changes) -> Registry:
    """The registry in which the toy model's record says something else."""
    (plugin,) = registry.plugins
    entry = plugin.entries("models")[0]
    other = dataclasses.replace(entry, spec=dataclasses.replace(entry.spec, **changes))
    records = {**plugin.records, "models": (other,)}
    return Registry([Plugin(plugin.name, plugin.distribution, plugin.version, "", records)])


def test_a_model_comes_back_with_weights_settings_and_schema(registry, task, saved):
    loaded = load_model(registry, saved)
    fresh = build_model(task.found.model, task.config.model_settings, task.schema)
    assert loaded.schema == task.schema
    assert loaded.settings == task.config.model_settings
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)
    assert not loaded.model.training


def test_model_json_says_the_same_for_programs(saved):
    record = json.loads((saved / "model.json").read_text())
    assert record["item"] == "toy/distance-net"
    assert record["checkpoint_version"] == 2
    assert record["schema"]["targets"][0]["unit"] == "angstrom^2"
    assert len(record["sha256"]) == 64


@pytest.mark.fault("F03")
def test_one_flipped_bit_in_a_run_is_a_digest_error(run_toy, tmp_path, registry):
    run_toy(tmp_path / "run", training={"epochs": 1})
    path = tmp_path / "run" / WEIGHTS
    whole = bytearray(path.read_bytes())
    whole[-5] ^= 4
    path.write_bytes(bytes(whole))
    with pytest.raises(RunError, match="SHA-256 [0-9a-f]{64}.*[0-9a-f]{64}"):
        load_run(tmp_path / "run", registry)


@pytest.mark.fault("F09")
def test_a_newer_format_and_another_kind_of_file_are_refused(registry, saved):
    rewrite(saved, format=2)
    with pytest.raises(RunError, match="format 2.*up to 1.*pip install --upgrade intertwiner"):
        load_model(registry, saved)
    rewrite(saved, format=1, kind="training state")
    with pytest.raises(RunError, match="holds a 'training state', must hold a 'model'"):
        load_model(registry, saved)


@pytest.mark.fault("F09")
def test_a_checkpoint_of_a_newer_plugin_names_both_versions(registry, saved):
    rewrite(saved, checkpoint_version=3, plugin_version="0.9")
    with pytest.raises(RunError, match=r"version 3.*0\.9; 0\.1\.0 is installed.*--upgrade"):
        load_model(registry, saved)


@pytest.mark.fault("F09")
def test_an_older_checkpoint_is_lifted_step_by_step(registry, task, saved):
    tensors, record = load_tensors(saved / WEIGHTS)
    del tensors["scale"]
    settings = {"width": record["settings"]["channels"], "dropout": 0.25}
    older = {**record, "settings": settings, "checkpoint_version": 1}
    save_tensors(saved / WEIGHTS, tensors, older)
    loaded = load_model(registry, saved)
    assert loaded.settings.dropout == 0.25
    assert loaded.model.scale == 1
    with pytest.raises(RunError, match="cannot lift checkpoint version 1"):
        load_model(with_model(registry, migrations={}), saved)


@pytest.mark.fault("F09")
def test_weights_of_another_model_list_every_difference(registry, saved):
    settings = load_tensors(saved / WEIGHTS)[1]["settings"]
    rewrite(saved, settings={**settings, "channels": 5})
    with pytest.raises(RunError) as caught:
        load_model(registry, saved)
    assert r"network.0.weight: (8, 1) stored, (5, 1) here" in str(caught.value)
    assert "network.3.weight: (1, 8) stored, (1, 5) here" in str(caught.value)


@pytest.mark.fault("F09")
def test_resuming_with_other_settings_lists_them(run_toy, tmp_path):
    run_toy(tmp_path / "run", training={"epochs": 1})
    changed = {"epochs": 1, "seed": 4}
    with pytest.raises(RunError) as caught:
        run_toy(tmp_path / "run", resume=True, model={"channels": 3}, training=changed)
    assert "model.channels: 8 stored, 3 here" in str(caught.value)
    assert "training.seed: 0 stored, 4 here" in str(caught.value)


def test_a_record_edited_by_hand_is_refused(registry, saved):
    record = json.loads((saved / "model.json").read_text())
    record["settings"]["dropout"] = 0.9
    (saved / "model.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"by hand.*settings\.dropout: 0\.9 stored, 0\.1 here"):
        load_model(registry, saved)


def test_differences_name_the_path_of_each():
    stored = {"a": {"x": 1, "y": 2}, "old": 1}
    here = {"a": {"x": 1, "y": 3}, "new": 1}
    assert differences(stored, here) == [
        "a.y: 2 stored, 3 here",
        "old: stored, unknown here",
        "new: not stored",
    ]


SAVERS = """
    import os, random, signal, sys, time
    from pathlib import Path
    import torch
    from toy_plugin.model import DistanceNet
    from intertwiner.registry import Registry
    from intertwiner.registry.discovery import Claim
    from intertwiner.training.checkpoint import save_model
    from intertwiner.training.task import build_config, build_task

    claim = Claim("toy", "toy_plugin._plugin", "intertwiner-toy", "0.1.0")
    registry = Registry.from_claims([claim])
    task = build_task(registry, build_config(registry, "distance-net", "pairs"))
    model = DistanceNet(task.config.model_settings, task.schema)

    def save_forever(folder, told):
        for number in range(1, 1 << 20):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.fill_(number)
            settings = task.config.model_settings
            save_model(folder, model, task.found.model, settings, task.schema)
            os.write(told, b"%d " % number)

    randomness = random.Random(0)
    for count in range(40):
        folder = Path(sys.argv[1]) / str(count)
        folder.mkdir()
        hear, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            save_forever(folder, told)
        os.close(told)
        first = os.read(hear, 10)
        time.sleep(randomness.random() * 0.05)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        said = first + b"".join(iter(lambda: os.read(hear, 4096), b""))
        (folder / "said").write_bytes(said)
"""


@pytest.mark.fault("F01")
def test_killed_at_40_random_moments_the_last_whole_checkpoint_loads(
    registry, tmp_path, toy_environment_of
):
    """Each saver is a process of its own, killed while it does nothing but save."""
    script = tmp_path / "savers.py"
    script.write_text(textwrap.dedent(SAVERS))
    folder = tmp_path / "runs"
    folder.mkdir()
    command = [sys.executable, str(script), str(folder)]
    subprocess.run(command, env=toy_environment_of(), check=True, timeout=300)
    orphans = 0
    for number in range(40):
        seen = int((folder / str(number) / "said").read_text().split()[-1])
        weights = load_model(registry, folder / str(number)).model.network[0].weight.detach()
        assert (weights == weights.flatten()[0]).all()
        assert weights.flatten()[0].item() in (seen, seen + 1)
        orphans += len(remove_orphans(folder / str(number)))
    assert orphans > 0, "no saver was killed while it wrote: the test would prove nothing"


@pytest.mark.fault("F01")
def test_what_a_killed_process_left_is_removed_at_the_next_start(run_toy, tmp_path):
    run_toy(tmp_path / "run", training={"epochs": 1})
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = tmp_path / "run" / f".{WEIGHTS}.{dead.pid}.0123abcd.partial"
    orphan.write_bytes(b"half")
    run_toy(tmp_path / "run", resume=True, training={"epochs": 1})
    assert not orphan.exists()


@pytest.mark.fault("F02")
def test_a_full_disk_names_path_and_bytes_and_keeps_the_old_checkpoint(registry, task, saved):
    """The limit on the size of a file stands for the full disk: the system refuses both alike."""
    before = (saved / WEIGHTS).read_bytes()
    model = build_model(task.found.model, task.config.model_settings, task.schema, seed=1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(RunError, match=rf"{WEIGHTS}: .*1,000 of at least [\d,]+ bytes written"):
            save(task, model, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (saved / WEIGHTS).read_bytes() == before
    assert sorted(path.name for path in saved.iterdir()) == ["model.json", WEIGHTS]
    load_model(registry, saved)
