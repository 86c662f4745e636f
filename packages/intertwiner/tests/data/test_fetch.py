from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from intertwiner.data import _http
from intertwiner.data.cache import VARIABLE
from intertwiner.data.fetch import fetch, local_path, verify
from intertwiner.errors import DataError
from intertwiner.specs import Source

from .server import CONTENT, Behaviour, serving

DIGEST = hashlib.sha256(CONTENT).hexdigest()
DATASET = "atoms/test"
PAGE = b"<!DOCTYPE html><html><title>Log in, please</title></html>"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_http, "BACKOFF", 0.0)
    return tmp_path / DATASET


@pytest.fixture
def server() -> Iterator[Behaviour]:
    with serving(Behaviour()) as behaviour:
        yield behaviour


def source(server: Behaviour, path: str = "file", sha256: str | None = DIGEST) -> Source:
    return Source(url=f"{server.url}/{path}", filename="data.bin", sha256=sha256)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def refused(server: Behaviour, path: str = "file") -> str:
    """The error's message; that no file was left is checked here."""
    with pytest.raises(DataError) as caught:
        fetch(source(server, path), DATASET)
    message = str(caught.value)
    assert not local_path(source(server), DATASET).exists()
    assert "\n" not in message
    assert server.url in message
    return message


def test_the_file_arrives_whole_and_alone(server: Behaviour, cache: Path) -> None:
    path = fetch(source(server), DATASET)
    assert path == local_path(source(server), DATASET) == cache / "data.bin"
    assert path.read_bytes() == CONTENT
    assert visible(cache) == ["data.bin"]


def test_a_file_that_is_there_is_not_asked_for_again(server: Behaviour) -> None:
    fetch(source(server), DATASET)
    fetch(source(server), DATASET)
    assert len(server.requests) == 1


def test_a_redirection_is_followed(server: Behaviour) -> None:
    assert fetch(source(server, "moved"), DATASET).read_bytes() == CONTENT


def test_a_file_put_there_by_hand_is_taken_after_its_checksum(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "data.bin").write_bytes(CONTENT)
    nowhere = Source(url="http://127.0.0.1:9/file", filename="data.bin", sha256=DIGEST.upper())
    assert fetch(nowhere, DATASET).read_bytes() == CONTENT


def test_without_a_published_checksum_the_digest_is_recorded_and_said(
    server: Behaviour, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fetch(source(server, sha256=None), DATASET)
    assert DIGEST in caplog.text
    assert "no published checksum" in caplog.text
    (cache / "data.bin").write_bytes(b"changed since")
    with pytest.raises(DataError, match=f"recorded before is {DIGEST}"):
        fetch(source(server, sha256=None), DATASET)


def test_verify_reads_the_file_again(server: Behaviour, cache: Path) -> None:
    path = fetch(source(server), DATASET)
    assert verify(source(server), DATASET) == DIGEST
    times = path.stat()
    path.write_bytes(CONTENT[:-1] + b"?")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fetch(source(server), DATASET) == path
    with pytest.raises(DataError, match=DIGEST):
        verify(source(server), DATASET)
    assert fetch(source(server), DATASET).read_bytes() == CONTENT


def test_verify_says_how_to_get_a_missing_file(server: Behaviour) -> None:
    with pytest.raises(DataError, match=r"not there; run 'intertwiner data fetch atoms/test'"):
        verify(source(server), DATASET)


@pytest.mark.fault("F11")
def test_a_connection_cut_half_way_is_resumed(server: Behaviour) -> None:
    server.cuts = 2
    assert fetch(source(server), DATASET).read_bytes() == CONTENT
    assert [request.get("range") for request in server.requests] == [
        None,
        "bytes=128000-",
        "bytes=192000-",
    ]


@pytest.mark.fault("F11")
def test_a_download_cut_every_time_leaves_no_file_and_the_next_call_resumes(
    server: Behaviour, cache: Path
) -> None:
    server.cuts = _http.ATTEMPTS
    assert "closed after 240,000 of 256,000 bytes" in refused(server)
    assert visible(cache) == ["data.bin.part", "data.bin.part.json"]
    assert fetch(source(server), DATASET).read_bytes() == CONTENT
    assert server.requests[-1]["range"] == "bytes=240000-"
    assert visible(cache) == ["data.bin"]


@pytest.mark.fault("F11")
@pytest.mark.parametrize(
    "change",
    [
        {"etag": '"two"'},
        {"ranges": False},
        {"etag": None, "last_modified": "Tue, 01 Jan 2030 00:00:00 GMT"},
    ],
)
def test_a_file_that_changed_on_the_server_is_begun_again(
    server: Behaviour, change: dict[str, object]
) -> None:
    server.content, server.cuts = b"an earlier file " * 9000, _http.ATTEMPTS
    refused(server)
    server.content = CONTENT
    for name, value in change.items():
        setattr(server, name, value)
    assert fetch(source(server), DATASET).read_bytes() == CONTENT


@pytest.mark.fault("F11")
@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_nothing_is_resumed(server: Behaviour, etag: str | None) -> None:
    server.etag, server.cuts = etag, 1
    assert fetch(source(server), DATASET).read_bytes() == CONTENT
    assert all("range" not in request for request in server.requests)


@pytest.mark.fault("F11")
def test_a_last_modified_date_serves_to_resume(server: Behaviour) -> None:
    server.etag, server.last_modified = None, "Tue, 01 Jan 2030 00:00:00 GMT"
    server.cuts = 1
    assert fetch(source(server), DATASET).read_bytes() == CONTENT
    assert server.requests[-1]["range"] == "bytes=128000-"


@pytest.mark.fault("F11")
def test_a_wrong_file_is_quarantined_with_both_digests(server: Behaviour, cache: Path) -> None:
    server.content = b"something else"
    message = refused(server)
    assert DIGEST in message
    assert hashlib.sha256(b"something else").hexdigest() in message
    assert visible(cache) == ["data.bin.quarantine"]
    assert (cache / "data.bin.quarantine").read_bytes() == b"something else"


@pytest.mark.fault("F11")
def test_a_wrong_file_put_there_by_hand_is_quarantined(server: Behaviour, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "data.bin").write_bytes(b"by hand")
    assert hashlib.sha256(b"by hand").hexdigest() in refused(server)
    assert visible(cache) == ["data.bin.quarantine"]
    assert fetch(source(server), DATASET).read_bytes() == CONTENT


@pytest.mark.fault("F11")
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (PAGE, "application/octet-stream"),
        (b"\xef\xbb\xbf\n <HTML><body>", "application/zip"),
        (b"<!-- wall --><script>", "text/html; charset=utf-8"),
    ],
)
def test_a_web_page_in_place_of_the_file_is_refused(
    server: Behaviour, cache: Path, content: bytes, content_type: str
) -> None:
    server.content, server.content_type = content, content_type
    assert "sent a web page" in refused(server)
    assert visible(cache) == []


@pytest.mark.fault("F11")
def test_the_title_of_the_web_page_is_named(server: Behaviour) -> None:
    server.content = PAGE
    assert "called 'Log in, please'" in refused(server)


def test_a_web_page_that_is_wanted_is_taken(server: Behaviour) -> None:
    server.content, server.content_type = PAGE, "text/html"
    wanted = Source(
        url=f"{server.url}/file", filename="page.html", sha256=hashlib.sha256(PAGE).hexdigest()
    )
    assert fetch(wanted, DATASET).read_bytes() == PAGE


@pytest.mark.fault("F11")
@pytest.mark.parametrize("status", [202, 204, 401, 403, 404, 410])
def test_a_refusal_is_named_and_not_repeated(server: Behaviour, status: int) -> None:
    server.statuses = [status] * 9
    message = refused(server)
    assert f"answered {status}" in message
    assert "by hand" in message
    assert len(server.requests) == 1


@pytest.mark.fault("F11")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_waited_out(server: Behaviour, status: int) -> None:
    server.statuses = [status] * (_http.ATTEMPTS - 1)
    assert fetch(source(server), DATASET).read_bytes() == CONTENT


@pytest.mark.fault("F11")
def test_a_lasting_trouble_is_named_with_the_number_of_attempts(server: Behaviour) -> None:
    server.statuses = [503] * 99
    assert f"answered 503 Service Unavailable ({_http.ATTEMPTS} attempts" in refused(server)


@pytest.mark.fault("F11")
def test_a_redirection_loop_is_named(server: Behaviour) -> None:
    assert "infinite loop" in refused(server, "loop")


@pytest.mark.fault("F11")
def test_a_redirection_to_a_local_file_is_refused(server: Behaviour) -> None:
    assert "not allowed" in refused(server, "astray")


@pytest.mark.fault("F11")
def test_a_server_that_is_silent_is_given_up(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "TIMEOUT", 0.05)
    monkeypatch.setattr(_http, "ATTEMPTS", 2)
    server.seconds = 0.3
    assert "timed out" in refused(server)


@pytest.mark.fault("F11")
def test_an_address_where_nobody_listens_is_named(cache: Path) -> None:
    nowhere = Source(url="http://127.0.0.1:9/file", filename="data.bin", sha256=DIGEST)
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/file: no answer: .*refused"):
        fetch(nowhere, DATASET)


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/hostname"])
def test_only_web_addresses_are_followed(url: str) -> None:
    with pytest.raises(DataError, match="only http"):
        fetch(Source(url=url, filename="data.bin", sha256=None), DATASET)


def test_a_name_that_leaves_the_folder_is_refused() -> None:
    with pytest.raises(DataError, match="plain file name"):
        local_path(Source(url="http://x", filename="../evil", sha256=None), DATASET)


@pytest.mark.fault("F02")
def test_a_file_larger_than_the_free_space_is_not_begun(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1000))
    with pytest.raises(DataError) as caught:
        fetch(source(server), DATASET)
    message = str(caught.value)
    assert "256,000 bytes are still to come and 1,000 are free" in message
    assert VARIABLE in message


@pytest.mark.fault("F02")
def test_a_disk_that_fills_up_is_named_with_the_variable(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError) as caught:
        fetch(source(server), DATASET)
    message = str(caught.value)
    assert "No space left on device" in message
    assert VARIABLE in message


@pytest.mark.fault("F10")
def test_a_cache_that_cannot_be_written_names_the_variable(
    server: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with pytest.raises(DataError, match=VARIABLE):
        fetch(source(server), DATASET)


@pytest.mark.fault("F10")
def test_a_read_only_cache_that_holds_the_file_serves(
    server: Behaviour, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir(parents=True)
    (cache / "data.bin").write_bytes(CONTENT)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert fetch(source(server), DATASET).read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.fault("F13")
def test_two_processes_make_one_download(server: Behaviour) -> None:
    server.seconds = 1.0
    code = (
        "import sys; from intertwiner.data.fetch import fetch;"
        "from intertwiner.specs import Source;"
        "source = Source(url=sys.argv[1], filename='data.bin', sha256=sys.argv[2]);"
        "print(fetch(source, 'atoms/test'))"
    )
    command = [sys.executable, "-c", code, f"{server.url}/file", DIGEST]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert {out.strip() for out, _ in outputs} == {str(local_path(source(server), DATASET))}
    assert len(server.requests) == 1
    assert any("waiting for another process" in err for _, err in outputs)


def test_a_terminal_is_shown_the_bytes_so_far(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    fetch(source(server), DATASET)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "data.bin" in captured.err
    assert "256.0/256.0 kB" in captured.err


@pytest.mark.parametrize("progress", [True, False])
def test_where_no_one_watches_nothing_is_shown(
    server: Behaviour, progress: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(source(server), DATASET, progress=progress)
    assert capsys.readouterr() == ("", "")
