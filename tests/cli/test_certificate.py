"""HTTPS: a certificate of our own is trusted by name, kept secret, and made again in time."""

import socket
import ssl
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from haulier.cli import certificate
from haulier.cli.codes import Exit
from haulier.client import Client
from haulier.config import Settings, load
from haulier.core.problem import Code, Problem
from haulier.testing.server import running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", tls=True, host="127.0.0.77")


def files_of(settings: Settings) -> tuple[Path, Path]:
    files = settings.certificate
    assert files is not None
    return files


def test_without_tls_there_is_no_certificate(tmp_path: Path) -> None:
    certificate.prepare(Settings(data=tmp_path))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "127.0.0.77"])
@pytest.mark.parametrize("strict", [False, True])
def test_who_trusts_our_certificate_reaches_the_server_by_name(
    settings: Settings, name: str, *, strict: bool
) -> None:
    certificate.prepare(settings)
    public, secret = files_of(settings)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, secret)
    client = ssl.create_default_context(cafile=str(public))
    if strict:
        client.verify_flags |= ssl.VERIFY_X509_STRICT

    assert shaken(server, client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(server, client, "example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(server, ssl.create_default_context(), name)


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """Shake hands in memory."""
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(here, there, server_hostname=name)
    answering = server.wrap_bio(there, here, server_side=True)
    for _ in range(4):
        done = 0
        for side in (asking, answering):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                continue
        if done == 2:
            return True
    return False


def test_the_private_key_is_its_owner_s_alone(settings: Settings) -> None:
    certificate.prepare(settings)

    public, secret = files_of(settings)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in public.parent.iterdir()) == ["certificate.pem", "key.pem"]


def test_a_good_certificate_is_kept_and_another_host_gets_a_new_one(settings: Settings) -> None:
    certificate.prepare(settings)
    first = files_of(settings)[0].read_bytes()

    certificate.prepare(settings)
    again = files_of(settings)[0].read_bytes()
    certificate.prepare(replace(settings, host="127.0.0.78"))
    other = files_of(settings)[0].read_bytes()

    assert again == first
    assert other != first


def test_a_certificate_that_ends_soon_is_made_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as shortly:
        shortly.setattr(certificate, "VALID_FOR", timedelta(days=29))
        certificate.prepare(settings)
    first = files_of(settings)[0].read_bytes()

    certificate.prepare(settings)

    second = x509.load_pem_x509_certificate(files_of(settings)[0].read_bytes())
    assert second != x509.load_pem_x509_certificate(first)


def test_one_s_own_certificate_is_used_as_it_is(settings: Settings, tmp_path: Path) -> None:
    certificate.prepare(settings)
    public, secret = files_of(settings)
    before = public.read_bytes()

    own = Settings(data=tmp_path / "other", tls_cert=str(public), tls_key=str(secret), host="::")
    certificate.prepare(own)

    assert own.certificate == (public, secret)
    assert public.read_bytes() == before
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("broken", ["absent", "text", "swapped"])
def test_a_certificate_that_cannot_be_used_is_named(
    settings: Settings, tmp_path: Path, broken: str
) -> None:
    certificate.prepare(settings)
    public, secret = files_of(settings)
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    wrong = {"absent": tmp_path / "absent.pem", "text": text, "swapped": secret}[broken]

    with pytest.raises(Problem) as refused:
        certificate.prepare(replace(settings, tls_cert=str(wrong), tls_key=str(secret)))

    assert (refused.value.code, refused.value.at) == (Code.INVALID, "tls_cert")
    assert str(wrong) in refused.value.detail
    assert public.exists()


def test_half_a_certificate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAULIER_TLS_CERT", "certificate.pem")

    with pytest.raises(Problem, match="HAULIER_TLS_KEY") as refused:
        load()

    assert refused.value.at == "tls_key"


def test_a_server_with_tls_is_called_by_who_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, arguments=("--tls", "--host", "127.0.0.77", "--no-worker")) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)

        with Client(server.url, key=server.key) as client:
            assert client.processes()

        with socket.create_connection(("127.0.0.77", int(server.url.rpartition(":")[2]))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"200" not in plain.recv(100)
    assert server.url.startswith("https://127.0.0.77:")
    assert server.process.returncode == Exit.OK
