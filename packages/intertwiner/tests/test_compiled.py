"""Compiling, caching, loading: the key, two processes at once, and what is said when it fails."""

from __future__ import annotations

import ctypes
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from intertwiner import compiled
from intertwiner.compiled import CompileError, Compiler, NoCompiler, compiler, objects
from intertwiner.kernels import KernelFallback

UNIT = {
    "unit": """#include <cstdint>
extern "C" void twice(double* x, int64_t n) { for (int64_t i = 0; i < n; i++) x[i] *= 2; }"""
}
HEADED = {"unit": '#include "factor.hpp"\nextern "C" void times(double* x) { *x *= FACTOR; }'}
KINDS = {
    "kinds": """#include <cstdint>
struct Pair { double a; int64_t b; };
extern "C" void kinds(const Pair* pair, const double* absent, int64_t count, double factor,
    double* out) { *out = absent ? -1 : (pair->a + pair->b + count) * factor; }"""
}
CHILD = f"""
from intertwiner.compiled import build
print(build("race", {UNIT!r}))
"""


def compiler_is_here() -> bool:
    try:
        compiled.find_compiler()
    except NoCompiler:
        return False
    return True


needs_compiler = pytest.mark.skipif(not compiler_is_here(), reason="no C++ compiler here")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache; nothing was loaded yet, nor has anything failed."""
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    compiled.forget()
    yield tmp_path / "kernels"
    compiled.forget()


def numbers() -> torch.Tensor:
    return torch.arange(3.0, dtype=torch.float64)


@needs_compiler
def test_what_is_compiled_runs_and_is_compiled_once(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        path = compiled.build("twice", UNIT)
        assert compiled.build("twice", UNIT) == path
    assert [record.message for record in caplog.records if "compiled" in record.message] != []
    assert len(caplog.records) == 2
    x = numbers()
    compiled.call(compiled.load(path), "twice", x, 3)
    assert x.tolist() == [0.0, 2.0, 4.0]
    assert {item.suffix for item in cache.iterdir()} <= {".so", ".lock", ".sha256"}


@needs_compiler
def test_headers_are_found_and_flags_arrive() -> None:
    for factor in (3, 5):
        headers = {"factor.hpp": f"#define FACTOR ({factor} * UNITS)"}
        path = compiled.build("headed", HEADED, flags=("-DUNITS=10",), headers=headers)
        x = torch.ones(1, dtype=torch.float64)
        compiled.call(compiled.load(path), "times", x)
        assert x.item() == 10 * factor


def test_key_follows_source_compiler_flags_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(files=UNIT, version: str = "1.0", flags: tuple[str, ...] = ("-O3",)) -> str:
        return objects._Command(Compiler("c++", version), flags).key(files)

    keys = {key(), key({"unit": "other"}), key({"other": UNIT["unit"]}), key(version="2.0")}
    keys |= {key(flags=("-O1",)), key(flags=("-O3", "-DLANES=8"))}
    monkeypatch.setattr(objects, "processor_flags", lambda: ("sse2",))
    keys.add(key())
    assert len(keys) == 7


def test_flags_keep_the_process_from_flushing_to_zero() -> None:
    wrong = {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"}
    assert not wrong & {*compiled.FLAGS, *compiled.OPENMP}
    for flag in wrong:
        with pytest.raises(ValueError, match=f"{flag} changes the whole process"):
            compiled.build("fast", UNIT, flags=(flag,))


@needs_compiler
def test_two_processes_at_once_compile_one_file(cache: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {child.communicate(timeout=120)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0]
    (path,) = said
    assert list(cache.glob("*.so")) == [Path(path)]


@needs_compiler
def test_threads_at_once_load_one_library() -> None:
    found = []
    workers = [
        threading.Thread(target=lambda: found.append(compiled.try_load("threads", lambda: UNIT)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(map(id, found))) == 1
    assert found[0] is not None


@needs_compiler
@pytest.mark.fault("F43")
@pytest.mark.parametrize("harm", ["truncated", "corrupt", "without digest"])
def test_a_harmed_object_in_the_cache_is_compiled_again(harm: str) -> None:
    path = compiled.build("harmed", UNIT)
    whole = path.read_bytes()
    if harm == "truncated":
        path.write_bytes(whole[:1000])
    elif harm == "corrupt":
        path.write_bytes(bytes(1000) + whole[1000:])
    else:
        path.with_suffix(".sha256").unlink()
    found = compiled.try_load("harmed", lambda: UNIT)
    assert found is not None
    x = numbers()
    compiled.call(found, "twice", x, 3)
    assert x.tolist() == [0.0, 2.0, 4.0]
    assert len(path.read_bytes()) == len(whole)


@needs_compiler
def test_what_a_killed_compilation_left_is_cleared(cache: Path) -> None:
    path = compiled.build("killed", UNIT)
    path.unlink()
    left = path.with_suffix(".partial")
    left.mkdir()
    (left / "unit.o").write_text("half of an object")
    assert compiled.build("killed", UNIT).exists()
    assert not left.exists()


@pytest.mark.fault("F43")
def test_that_there_is_no_compiler_is_said_once_for_all_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def library() -> compiled.Library | None:
        return compiled.try_load("first", lambda: UNIT, instead="the oracle")

    monkeypatch.setenv("CXX", "/nonexistent/c++")
    with pytest.warns(KernelFallback, match="the oracle serves.*no C\\+\\+.*set CXX") as caught:
        assert library() is None
    assert len(caught) == 1
    assert caught[0].filename == __file__  # the kernel that asked for its library
    with caplog.at_level(logging.INFO):  # a second warning would be an error
        assert library() is None
        assert compiled.try_load("second", lambda: UNIT) is None
    assert len(caplog.records) == 1


def broken_compiler(folder: Path) -> str:
    broken = folder / "broken"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no space left" >&2; exit 3\n'
    )
    broken.chmod(0o755)
    return str(broken)


def test_a_failing_compiler_is_quoted_for_every_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", broken_compiler(tmp_path))
    for name in ("first", "second"):
        with pytest.warns(KernelFallback, match=f"kernel {name} .*status 3:\nno space left"):
            assert compiled.try_load(name, lambda: UNIT) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert compiled.try_load(name, lambda: UNIT) is None


@needs_compiler
def test_a_source_that_does_not_compile_tells_what_the_compiler_said(cache: Path) -> None:
    with pytest.raises(CompileError, match="failed with status.*"):
        compiled.build("broken", {"broken": "this is no C++"})
    assert {item.suffix for item in cache.iterdir()} == {".lock"}


def test_a_cache_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("INTERTWINER_DATA", str(blocked))
    monkeypatch.setenv("CXX", broken_compiler(tmp_path))
    with pytest.warns(KernelFallback, match="INTERTWINER_DATA"):
        assert compiled.try_load("blocked", lambda: UNIT) is None


def test_a_compiler_that_is_no_program_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "c++"
    text.write_text("no program")
    text.chmod(0o755)
    monkeypatch.setenv("CXX", str(text))
    with pytest.raises(NoCompiler, match="set CXX to one that runs"):
        compiled.find_compiler()


def test_importing_compiles_nothing_and_needs_no_torch(cache: Path) -> None:
    code = "import sys, intertwiner.compiled; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not cache.exists()


class Pair(ctypes.Structure):
    _fields_ = (("a", ctypes.c_double), ("b", ctypes.c_int64))


@needs_compiler
def test_every_kind_of_argument_arrives() -> None:
    library = compiled.load(compiled.build("kinds", KINDS))
    out = torch.zeros(1, dtype=torch.float64)
    pair = Pair(0.5, 2**40)
    for count, factor in ((1, 2.0), (2**40, 0.25)):
        compiled.call(library, "kinds", ctypes.byref(pair), None, count, factor, out)
        assert out.item() == (0.5 + 2**40 + count) * factor
    compiled.call(library, "kinds", ctypes.byref(pair), out, 1, 1.0, out)
    assert out.item() == -1
    with pytest.raises(TypeError, match="kinds takes 5 arguments, not 4"):
        compiled.call(library, "kinds", ctypes.byref(pair), None, 1, 1.0)
    with pytest.raises(ctypes.ArgumentError):
        compiled.call(library, "kinds", ctypes.byref(pair), None, 1.5, 1.0, out)


@needs_compiler
def test_pointers_of_strided_tensors_and_of_other_devices_are_refused() -> None:
    found = compiled.load(compiled.build("twice", UNIT))
    with pytest.raises(ValueError, match="contiguous"):
        compiled.call(found, "twice", torch.zeros(4, 4)[:, 0], 4)
    with pytest.raises(ValueError, match="on meta"):
        compiled.call(found, "twice", torch.zeros(4, device="meta"), 4)


def test_vectors_are_as_wide_as_the_processor_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, width in ((("avx2", "avx512f"), 64), (("avx2",), 32), (("asimd",), 16)):
        monkeypatch.setattr(compiler, "processor_flags", lambda flags=flags: flags)
        assert compiled.vector_bytes() == width
