"""The server under the stand-ins: what it leaves behind when a connection breaks."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.certificates import temporary_certificate
from sandbox.serving import CutConnectionError, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment


def cut_in_the_middle(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "100000000")])
    # More than the sockets between hold: some of it is still unsent when the client is gone.
    yield b"x" * 50_000_000
    raise CutConnectionError


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_broken_connection_leaves_nothing_for_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch, *, encrypted: bool
) -> None:
    """A connection that its client drops, in the middle of an answer, is closed whole and without errors."""
    lost: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: lost.append(repr(told.exc_value)))
    # Python 3.13 says so by itself; older ones do when told to.
    monkeypatch.setattr("_pyio._IOBASE_EMITS_UNRAISABLE", True, raising=False)

    with temporary_certificate() as certificate, requests.Session() as session:
        session.trust_env = False
        session.verify = str(certificate.authority)
        with serve(cut_in_the_middle, certificate=certificate if encrypted else None, threads=1) as server:
            for _ in range(3):
                session.get(server.url, stream=True).close()
    gc.collect()

    assert lost == []
