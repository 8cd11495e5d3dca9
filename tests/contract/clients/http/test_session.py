"""What all clients' sessions have in common, at a server that writes down what arrives."""

from __future__ import annotations

import itertools
import logging
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from requests.exceptions import ProxyError

from clients.http.allow_list import RequestRefusedError
from clients.http.deadlines import time_limit
from clients.http.errors import FailureCategory, InvalidRequestError, TransportFailure, classify
from clients.http.limits import TOKEN_LIMITS
from clients.http.session import HttpSession, json_object
from sandbox.certificates import temporary_certificate
from sandbox.serving import serve
from schemas.errors import FailureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@dataclass
class Recorder:
    """A server that remembers each request and answers as it is told."""

    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b"{}"
    seen: list[WSGIEnvironment] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(environ)
        start_response(self.status, [("Content-Length", str(len(self.body))), *self.headers])
        return [self.body]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    app = Recorder()
    with serve(app, threads=4) as server:
        app.url = server.url
        yield app


def test_requests_of_a_thread_have_a_time_together() -> None:
    """What has not come by then has no answer, and what is asked for later does not leave (promise P8)."""
    asked, over = [], threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/hangs":
            over.wait(60)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    with serve(app, threads=4) as server, HttpSession(methods={"GET"}) as session:
        paths = ("/quick", "/hangs", "/late", "/outside")
        with time_limit(2), time_limit(60):
            found = [session.try_request("GET", server.url + path) for path in paths[:3]]
        found.append(session.try_request("GET", server.url + paths[3]))
        over.set()
    kinds = [each.kind if isinstance(each, TransportFailure) else None for each in found]
    assert kinds == [None, FailureKind.TIMEOUT, FailureKind.TIMEOUT, None]
    assert asked == ["/quick", "/hangs", "/outside"]


@pytest.mark.parametrize("allowed", [{"GET"}, {"GET", "PATCH"}, {"POST"}])
def test_only_what_is_allowed_leaves(recorder: Recorder, allowed: set[str]) -> None:
    """Of all methods, those that the gate allows arrive and no other does (promise P1)."""
    with HttpSession(methods=allowed) as session:
        for method in METHODS:
            if method in allowed:
                session.request(method, recorder.url)
            else:
                with pytest.raises(RequestRefusedError):
                    session.try_request(method, recorder.url)
    assert {environ["REQUEST_METHOD"] for environ in recorder.seen} == allowed


def test_only_addresses_that_match(recorder: Recorder) -> None:
    """An address that the gate does not know is refused before anything leaves, dots and all (P1)."""
    pattern = re.compile(re.escape(recorder.url) + "/Users(/[^/]+)?")
    with HttpSession(methods={"GET"}, addresses=pattern) as session:
        session.try_request("GET", f"{recorder.url}/Users/7?x=1")
        for path in ("/Groups", "/Users/..", "/Users/7/..", "/Users/a/b", "/Users/", "//Users"):
            with pytest.raises(RequestRefusedError):
                session.try_request("GET", recorder.url + path)
    assert [environ["PATH_INFO"] for environ in recorder.seen] == ["/Users/7"]


def test_no_redirect_is_followed(recorder: Recorder) -> None:
    """A redirect comes back as it is, and nothing goes where it leads."""
    recorder.status, recorder.headers = "302 Found", [("Location", "/elsewhere")]
    with HttpSession(methods={"GET"}) as session:
        answer = session.get(recorder.url, headers={"Authorization": "Bearer made-up"})
    assert answer.status_code == 302
    assert len(recorder.seen) == 1


def test_no_cookie_is_kept(recorder: Recorder) -> None:
    """What a server sets is not sent back: tenants share sessions."""
    recorder.headers = [("Set-Cookie", "tenant=one; Path=/")]
    with HttpSession(methods={"GET"}) as session:
        for _ in range(2):
            session.try_request("GET", recorder.url)
    assert [environ.get("HTTP_COOKIE") for environ in recorder.seen] == [None, None]


def test_netrc_does_not_replace_our_token(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A netrc file on the machine does not change what we say about ourselves."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login made password up\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with HttpSession(methods={"GET"}) as session:
        session.try_request("GET", recorder.url, headers={"Authorization": "Bearer made-up"})
    assert recorder.seen[0]["HTTP_AUTHORIZATION"] == "Bearer made-up"
    assert recorder.seen[0]["HTTP_USER_AGENT"] == "skolon-update-sync"


def test_a_request_says_more_than_the_session(recorder: Recorder) -> None:
    """Its headers stand beside those of the session, and in place of one of the same name in any case."""
    with HttpSession(methods={"PATCH"}) as session:
        session.try_request(
            "PATCH", recorder.url, json={"a": "å"}, headers={"user-agent": "made-up", "If-Match": "1"}
        )
    (seen,) = recorder.seen
    assert (seen["HTTP_USER_AGENT"], seen["HTTP_IF_MATCH"]) == ("made-up", "1")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("application/json", "15")


def test_a_query_is_sent_to_the_letter(recorder: Recorder) -> None:
    """A query that is encoded already arrives as it was given, and leads past no gate (promise P1)."""
    query = urlencode({"filter": 'eppn eq "å&/?%.~*@x"'}, quote_via=quote)
    pattern = re.compile(re.escape(recorder.url) + "/Users")
    with HttpSession(methods={"GET"}, addresses=pattern) as session:
        session.try_request("GET", f"{recorder.url}/Users", query=query)
        with pytest.raises(RequestRefusedError):
            session.try_request("GET", f"{recorder.url}/Groups", query=query)
    (seen,) = recorder.seen
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/Users", query)


def test_own_authorities_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our CA bundle wins over REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; without it theirs count."""
    other = tmp_path / "other.pem"
    with temporary_certificate() as wrong, temporary_certificate() as right:
        other.write_bytes(wrong.authority.read_bytes())
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, str(other))
        with (
            serve(Recorder(), certificate=right, threads=2) as server,
            HttpSession(methods={"GET"}, ca_bundle=str(right.authority)) as ours,
            HttpSession(methods={"GET"}) as theirs,
        ):
            assert not isinstance(ours.try_request("GET", server.url), TransportFailure)
            failure = theirs.try_request("GET", server.url)
            assert isinstance(failure, TransportFailure)
            assert "UPDATE_SYNC_CA_BUNDLE" in failure.message


def test_the_environments_proxies_count(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and NO_PROXY hold for each server by itself, at the first request and at later ones."""
    for name in ("http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    refused = classify(ProxyError())
    with HttpSession(methods={"GET"}) as session:
        for _ in range(2):
            assert session.try_request("GET", "http://skolon.example/Users") == refused
            assert not isinstance(session.try_request("GET", recorder.url), TransportFailure)
    assert len(recorder.seen) == 2


@pytest.mark.parametrize(
    ("url", "category"),
    [
        ("http://127.0.0.1:1/hemlig", FailureCategory.UNAVAILABLE),
        ("ftp://127.0.0.1/hemlig", FailureCategory.ADDRESS),
        ("hemlig", FailureCategory.ADDRESS),
        ("http://", FailureCategory.ADDRESS),
    ],
)
def test_faults_are_returned(url: str, category: FailureCategory) -> None:
    """A request that gets no answer is a fault in our words, without the address (P6)."""
    with HttpSession(methods={"GET"}) as session:
        failure = session.try_request("GET", url)
    assert isinstance(failure, TransportFailure)
    assert failure.category is category
    assert "hemlig" not in failure.message


def test_bugs_are_raised(recorder: Recorder) -> None:
    """A request that we made wrongly is a bug, with nothing of it in the error's text or history (P6)."""
    with HttpSession(methods={"GET"}) as session, pytest.raises(InvalidRequestError) as caught:
        session.try_request("GET", recorder.url, headers={"If-Match": "hemlig\r\nX: y"})
    assert "hemlig" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_address_in_logs(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of a request is logged, not even by the libraries below at DEBUG (P6)."""
    caplog.set_level(logging.DEBUG)
    with HttpSession(methods={"GET"}) as session:
        session.try_request("GET", f"{recorder.url}/?filter=hemlig")
        session.try_request("GET", "http://127.0.0.1:1/?filter=hemlig")
    assert len(recorder.seen) == 1
    assert "hemlig" not in caplog.text


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"[]", None),
        (b"", None),
        (b"<html>", None),
        (b'{"a": ', None),
        (b"\xff\xfe\xfd", None),
        (b"[" * 40_000, None),
    ],
)
def test_json_objects(recorder: Recorder, body: bytes, value: Any) -> None:
    """An answer is a JSON object or it is nothing, whatever else it may be."""
    recorder.body = body
    with HttpSession(methods={"GET"}) as session:
        answer = session.try_request("GET", recorder.url)
    assert not isinstance(answer, TransportFailure)
    assert json_object(answer) == value


class Endless:
    """A server whose answer comes part by part, `size` bytes each, and never ends by itself."""

    def __init__(self, size: int) -> None:
        self._part = b"x" * size

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])
        return itertools.repeat(self._part)


@pytest.mark.parametrize(("size", "message"), [(65536, "the answer is too large"), (1, "no answer in time")])
def test_an_answer_without_end_is_cut_off(size: int, message: str) -> None:
    """P8, P10: a server that sends for ever, in drops or in floods, holds no worker and fills no memory."""
    with (
        serve(Endless(size), threads=2) as server,
        HttpSession(methods={"GET"}, limits=TOKEN_LIMITS, seconds=0.5) as session,
    ):
        answer = session.try_request("GET", server.url)
    assert isinstance(answer, TransportFailure)
    assert (answer.category, answer.message) == (FailureCategory.UNAVAILABLE, message)
