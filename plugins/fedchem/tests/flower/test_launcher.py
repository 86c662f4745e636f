"""The quick command: hands its words to the trainer and lives as long as the fork does."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile

import pytest

from intertwiner_fedchem.flower.launcher import COMMAND, LAUNCH, TRAINER, write_command
from intertwiner_fedchem.flower.sockets import receive, short_folder


@pytest.fixture
def short():
    folder = short_folder()
    yield folder
    shutil.rmtree(folder)


def test_under_a_long_path_sockets_lie_elsewhere(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = short_folder()
    assert len(str(folder)) < 80
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_the_command_asks_the_trainer_and_waits_until_it_hangs_up(tmp_path, short):
    folder, path = write_command(tmp_path / "bin"), short / "trainer.sock"
    assert stat.S_IMODE((folder / COMMAND).stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        words = [str(folder / COMMAND), "--token", "a b", "--insecure"]
        process = subprocess.Popen(words, env={**os.environ, TRAINER: str(path)})
        connection, _ = listener.accept()
        asked = receive(connection)
        assert asked.startswith(LAUNCH)
        assert json.loads(asked.removeprefix(LAUNCH)) == ["--token", "a b", "--insecure"]
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        connection.close()
        assert process.wait(60) == 0
