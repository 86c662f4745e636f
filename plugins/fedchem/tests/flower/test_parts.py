"""Small parts of a deployment: keys, sockets, plans and processes that end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import threading
import time

import pytest

from intertwiner_fedchem.flower.control import answers_in
from intertwiner_fedchem.flower.groups import Group, end_marked, marked
from intertwiner_fedchem.flower.plan import Plan
from intertwiner_fedchem.flower.sockets import ask, receive, send

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_keys_are_for_their_owner_alone_and_the_server_is_who_it_says(tmp_path):
    pytest.importorskip("cryptography", reason="comes with the extra flower")
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    from intertwiner_fedchem.flower.identities import make_identities

    found = make_identities(tmp_path, ["client-0"])
    files = (found.key, found.clients["client-0"], found.authority)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    server = x509.load_pem_x509_certificate(found.certificate.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(found.authority.read_bytes()))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    public = tmp_path / "client-0.pub"
    assert load_ssh_public_key(public.read_bytes()).curve.name == "secp384r1"
    with pytest.raises(FileExistsError):
        make_identities(tmp_path, [])


def test_pieces_of_any_length_arrive_whole_and_a_broken_one_is_noticed():
    here, there = socket.socketpair()
    for piece in (b"", b"x", bytes(3_000_000)):
        sender = threading.Thread(target=send, args=(here, piece))
        sender.start()
        assert receive(there) == piece
        sender.join()
    here.sendall(b"\x05\0\0\0\0\0\0\0ab")
    here.close()
    with pytest.raises(ConnectionError, match="closed after 2 of 5 bytes"):
        receive(there)
    there.close()


def test_nobody_at_the_socket_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        ask(str(tmp_path / "none.sock"), b"")


def test_a_plan_survives_its_file(tmp_path):
    plan = Plan(folder=tmp_path, examples={"client-0": 5}, nodes={2**63 + 1: "client-0"})
    plan.save()
    assert Plan.load(plan.path) == plan


def test_answers_are_found_between_other_lines():
    text = 'Loading\n{\n "success": true, "node-id": 5 }\n\n{"success": false}\n'
    assert answers_in(text) == [{"success": True, "node-id": 5}, {"success": False}]
    assert answers_in("nothing") == []


SLEEPER = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{}'], **{}); {}"


def sleeper(**options) -> str:
    wait = "import time; time.sleep(600)"
    return SLEEPER.format(wait, options, wait)


def until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@linux
def test_ending_a_group_and_what_it_marked_leaves_nobody(tmp_path):
    mark = f"FLWR_HOME={tmp_path}"
    group = Group("nodes", tmp_path / "log", {**os.environ, "FLWR_HOME": str(tmp_path)})
    group.start([sys.executable, "-c", sleeper()])
    group.start([sys.executable, "-c", sleeper(start_new_session=True)])
    until(lambda: len(marked(mark)) == 4)
    group.end(0.5)
    assert len(group.ended) == 2
    until(lambda: len(marked(mark)) == 1)
    assert end_marked(mark) == []
    assert marked(mark) == []


@linux
def test_a_group_can_be_stopped_and_killed_by_signals(tmp_path):
    group = Group("nodes", tmp_path / "log", dict(os.environ))
    process = group.start([sys.executable, "-c", "import time; time.sleep(600)"])
    group.signal(signal.SIGKILL)
    assert process.wait(60) == -9
    group.end()
