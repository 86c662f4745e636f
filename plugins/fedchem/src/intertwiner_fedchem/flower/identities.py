"""Who is who: a certificate authority, the server's certificate, and a key pair for every client.

Everything is made for one run, lies in files only their owner can read, and goes with the run.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["HOST", "Identities", "make_identities", "make_key_pair"]

HOST: Final = "127.0.0.1"
DAYS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Paths of PEM and OpenSSH files. clients: name -> private key; the public one is beside it
    with the suffix `.pub`.
    """

    authority: Path
    certificate: Path
    key: Path
    clients: dict[str, Path]


def make_identities(folder: Path, clients: Sequence[str]) -> Identities:
    """Files for a SuperLink on this machine and for every client, in `folder`."""
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key, server_key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
    authority = _certificate("intertwiner federation", authority_key, authority_key, None)
    server = _certificate("localhost", server_key, authority_key, authority.subject)
    return Identities(
        authority=_write(folder / "authority.pem", _pem(authority)),
        certificate=_write(folder / "server.pem", _pem(server)),
        key=_write(folder / "server.key", _private(server_key)),
        clients={name: make_key_pair(folder / name) for name in clients},
    )


def make_key_pair(path: Path) -> Path:
    """An elliptic key P-384 in OpenSSH's format, and its public half beside it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP384R1())
    shape = serialization.PublicFormat.OpenSSH
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, shape)
    _write(path.with_name(f"{path.name}.pub"), public)
    return _write(path, _private(key, openssh=True))


def _certificate(name: str, key: Any, signer: Any, issuer: Any) -> Any:
    """A certificate of `key`; of an authority where it has no issuer but itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if issuer is not None:
        made = made.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    return made.sign(signer, hashes.SHA384())


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    found: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return found


def _private(key: Any, *, openssh: bool = False) -> bytes:
    from cryptography.hazmat.primitives import serialization

    formats = serialization.PrivateFormat
    found: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        formats.OpenSSH if openssh else formats.PKCS8,
        serialization.NoEncryption(),
    )
    return found


def _write(path: Path, content: bytes) -> Path:
    """A file that nobody but its owner could ever read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return path
