"""The server's certificate: the operator's own, or one that is made here for this machine."""

import ipaddress
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from haulier.core.problem import Code, Problem

if TYPE_CHECKING:
    from haulier.config import Settings

VALID_FOR: Final = timedelta(days=397)  # the longest that browsers take
RENEW_BEFORE: Final = timedelta(days=30)
CLOCKS_DIFFER: Final = timedelta(hours=1)
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
EVERY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- read, not bound


def prepare(settings: "Settings") -> None:
    """Make sure that the server has a certificate and its key, if it is to have one.

    A certificate of ours is made again when it ends soon, or lacks a name of the machine.

    Raises:
        Problem: INVALID; the files cannot be read or written, or do not belong together.
    """
    files = settings.certificate
    if files is None:
        return
    certificate, key = files
    try:
        if not settings.tls_cert and not _still_good(certificate, key, names_of(settings.host)):
            _make(certificate, key, names_of(settings.host))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=lambda: ""
        )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        detail = f"cannot use the certificate {certificate} with the key {key}: {error}"
        raise Problem(Code.INVALID, detail, at="tls_cert") from error


def names_of(host: str) -> tuple[str, ...]:
    """Give the names and addresses by which callers may reach a server that listens there."""
    asked = host.strip("[]").lower()
    names = [*LOOPBACK, socket.gethostname().lower(), *([] if asked in EVERY else [asked])]
    return tuple(dict.fromkeys(name for name in names if name.isascii()))


def _still_good(certificate: Path, key: Path, names: tuple[str, ...]) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    known = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends_soon = found.not_valid_after_utc < datetime.now(UTC) + RENEW_BEFORE
    return not ends_soon and all(_general(name) in known for name in names)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make(certificate: Path, key: Path, names: tuple[str, ...]) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    made = _signed(secret, names)
    certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key, pem)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def _signed(secret: ec.EllipticCurvePrivateKey, names: tuple[str, ...]) -> x509.Certificate:
    """Give a certificate that vouches for itself, and for nothing else."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haulier")])
    key_id = x509.SubjectKeyIdentifier.from_public_key(secret.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + VALID_FOR)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
        # no authority: whoever trusts it trusts this server, and nobody that its key might sign
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(key_id, critical=False)
        .sign(secret, hashes.SHA256())
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that is its owner's alone from the first byte on, and there whole or not."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 -- a descriptor
        file.write(content)
    beside.replace(path)
