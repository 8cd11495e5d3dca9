"""UPDATE_SYNC_CA_BUNDLE at servers with TLS: it adds authorities, for HTTP, RabbitMQ and PostgreSQL."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pika.exceptions
import pytest
from sqlalchemy import text

from clients.http import allow_list
from clients.http.errors import TransportFailure
from clients.http.session import HttpSession
from devtools.services import postgresql, rabbitmq
from queues.brokers.factory import open_broker
from sandbox.certificates import make_certificate
from sandbox.serving import serve
from schemas.errors import UpdateSyncError
from schemas.settings import load_settings
from store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from sandbox.certificates import Certificate


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make(tmp_path / "ours")


@pytest.fixture
def another(tmp_path: Path) -> Certificate:
    return make(tmp_path / "another")


def make(folder: Path) -> Certificate:
    folder.mkdir()
    return make_certificate(folder)


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    del environ
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]


def test_http_trusts_the_bundle_beside_its_own(
    certificate: Certificate, another: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of the added authorities and of requests' own are trusted, and no others."""
    monkeypatch.setattr(allow_list, "DEFAULT_CA_BUNDLE_PATH", str(another.authority))
    stranger = make(tmp_path / "stranger")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(stranger.authority))
    with HttpSession(methods={"GET"}, ca_bundle=str(certificate.authority)) as session:
        trusted = []
        for shown in (certificate, another, stranger):
            with serve(answer, certificate=shown, threads=2) as server:
                trusted.append(not isinstance(session.try_request("GET", server.url), TransportFailure))
    assert trusted == [True, True, False]


@pytest.fixture
def amqps_url(certificate: Certificate) -> Iterator[str]:
    server = rabbitmq.PrivateRabbitMQ(rabbitmq.REQUIREMENT.binaries(), certificate)
    yield server.tls_url
    server.close()


def test_rabbitmq_trusts_the_bundle_beside_the_systems(
    certificate: Certificate, another: Certificate, amqps_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amqps:// takes a server of the added authorities, and of the system's; without either it takes none."""

    def connects(ca_bundle: Certificate | None) -> bool:
        bundle = None if ca_bundle is None else str(ca_bundle.authority)
        parameters = open_broker(amqps_url, ca_bundle=bundle).parameters
        try:
            pika.BlockingConnection(parameters).close()
        except (pika.exceptions.AMQPError, ssl.SSLError):
            return False
        return True

    assert connects(certificate)
    assert not connects(None)
    assert not connects(another)
    # What OpenSSL takes for the system's.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    assert connects(another)


@pytest.fixture
def postgresql_url(certificate: Certificate) -> Iterator[str]:
    binaries = postgresql.REQUIREMENT.binaries()
    server = postgresql.PrivatePostgreSQL(binaries, certificate=certificate)
    yield server.url.replace("postgresql+psycopg", "postgresql")
    server.close()


def test_postgresql_trusts_the_bundle(
    certificate: Certificate, another: Certificate, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sslmode=verify-full, PostgreSQL's certificate has to come from the bundle or from sslrootcert."""

    def connects(query: str, ca_bundle: Certificate | None) -> bool:
        monkeypatch.setenv("UPDATE_SYNC_DATABASE_URL", f"{postgresql_url}?{query}")
        monkeypatch.setenv("UPDATE_SYNC_CA_BUNDLE", str(ca_bundle.authority) if ca_bundle else "")
        database = Database(load_settings(()).database_url)
        try:
            with database.transaction() as connection:
                found = connection.scalar(text("select ssl from pg_stat_ssl where pid = pg_backend_pid()"))
        except UpdateSyncError:
            return False
        finally:
            database.close()
        assert found is True
        return True

    assert connects("sslmode=verify-full", certificate)
    assert not connects("sslmode=verify-full", None)
    assert not connects("sslmode=verify-full", another)
    assert connects(f"sslmode=verify-full&sslrootcert={certificate.authority}", another)
    assert connects("sslmode=require", another)
