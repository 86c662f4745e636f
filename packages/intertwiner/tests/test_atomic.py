from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.atomic import digest, remove_orphans, replace_durably, write_atomically
from intertwiner.errors import RunError


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@given(chunks=st.lists(st.binary(max_size=50), max_size=5))
def test_the_file_holds_the_chunks_and_the_digest_is_theirs(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("run") / "weights"
    returned = write_atomically(path, chunks)
    assert path.read_bytes() == b"".join(chunks)
    assert returned == digest(path) == hashlib.sha256(b"".join(chunks)).hexdigest()


def test_a_memoryview_of_wider_items_is_written_as_bytes(tmp_path: Path) -> None:
    numbers = memoryview(b"\0" * 24).cast("d")
    write_atomically(tmp_path / "numbers", [numbers, memoryview(b"").cast("B")])
    assert (tmp_path / "numbers").stat().st_size == 24


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    write_atomically(tmp_path / "weights", [b"old"])
    write_atomically(tmp_path / "weights", [b"new"])
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]
    assert (tmp_path / "weights").read_bytes() == b"new"


def test_new_files_follow_the_umask(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "weights", [b""])
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_old_file_survives_chunks_that_raise(tmp_path: Path) -> None:
    def broken() -> object:
        yield b"half"
        raise ValueError("no more")

    write_atomically(tmp_path / "weights", [b"old"])
    with pytest.raises(ValueError, match="no more"):
        write_atomically(tmp_path / "weights", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]
    assert (tmp_path / "weights").read_bytes() == b"old"


@pytest.mark.fault("F02")
def test_reaching_the_file_size_limit_keeps_the_old_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    result = run(
        """
        import resource, sys
        from pathlib import Path
        from intertwiner.atomic import write_atomically
        from intertwiner.errors import RunError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
        try:
            write_atomically(Path(sys.argv[1]), [b"x" * 1000, b"y" * 1000], setting="--out")
        except RunError as error:
            print(error)
        """,
        path,
    )
    assert "1,500 of at least 2,000 bytes written" in result.stdout
    assert "bytes free" in result.stdout
    assert str(path) in result.stdout
    assert "--out" in result.stdout
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.fault("F02")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_noticed_only_by_fsync_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    (tmp_path / "weights").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="3 of at least 3 bytes written"):
        write_atomically(tmp_path / "weights", [b"new"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.fault("F10")
def test_a_missing_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"absent.*set --out"):
        write_atomically(tmp_path / "absent" / "weights", [b""], setting="--out")


@pytest.mark.fault("F10")
@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_folder_is_named_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("intertwiner.atomic.FileIO", read_only)
    with pytest.raises(RunError, match=r"cannot write to the folder .*set --out"):
        write_atomically(tmp_path / "weights", [b""], setting="--out")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    with pytest.raises(RunError, match="weights"):
        write_atomically(tmp_path / "weights", [b""])


def test_only_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    dead = tmp_path / f".model.safetensors.{dead_pid()}.0123abcd.partial"
    alive = tmp_path / f".model.safetensors.{os.getppid()}.0123abcd.partial"
    others = [tmp_path / name for name in ("model.safetensors", "x.partial", ".x.y.z.partial")]
    for path in (dead, alive, *others):
        path.touch()
    assert remove_orphans(tmp_path) == [dead]
    assert set(tmp_path.iterdir()) == {alive, *others}


def test_a_leftover_with_our_own_number_is_removed_unless_we_are_writing_it(
    tmp_path: Path,
) -> None:
    leftover = tmp_path / f".weights.{os.getpid()}.0123abcd.partial"
    leftover.touch()
    removed = []

    def chunks() -> object:
        removed.extend(remove_orphans(tmp_path))
        yield b"new"

    write_atomically(tmp_path / "weights", chunks())
    assert removed == [leftover]
    assert (tmp_path / "weights").read_bytes() == b"new"


def test_a_missing_folder_has_no_orphans(tmp_path: Path) -> None:
    assert remove_orphans(tmp_path / "absent") == []


@pytest.mark.fault("F01")
def test_a_writer_killed_half_way_leaves_the_old_file_and_one_orphan(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    result = run(
        """
        import os, signal, sys
        from pathlib import Path
        from intertwiner.atomic import write_atomically
        def chunks():
            yield b"half"
            os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(Path(sys.argv[1]), chunks())
        """,
        path,
    )
    assert result.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(remove_orphans(tmp_path)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_moves_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    replace_durably(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_the_digest_of_an_unreadable_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="absent"):
        digest(tmp_path / "absent")


def test_importing_it_brings_no_torch() -> None:
    result = run("import sys, intertwiner.atomic; print('torch' in sys.modules)")
    assert result.stdout.strip() == "False"
