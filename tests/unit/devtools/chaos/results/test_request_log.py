"""The account of what PATCH requests did, and the moments at which a request is held."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from devtools.chaos.results.request_log import Moment, RequestGate, RequestLog
from sandbox.serving import CutConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

PATCH = {"REQUEST_METHOD": "PATCH", "PATH_INFO": "/exempelkommun/scim/v2/Users/a"}


class Skolon:
    """One user in memory; the next PATCH does what `change` says and is answered with `status`."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {"city": "Lund", "meta": {"version": "1"}}
        self.change: dict[str, Any] = {}
        self.status = "200 OK"

    def __call__(self, _environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.user = {**self.user, **self.change}
        start_response(self.status, [])
        return [b"{}"]


@pytest.fixture
def skolon() -> Skolon:
    return Skolon()


@pytest.fixture
def told() -> queue.Queue[Moment]:
    return queue.Queue()


@pytest.fixture
def gate(told: queue.Queue[Moment]) -> RequestGate:
    return RequestGate(told.put)


@pytest.fixture
def request_log(gate: RequestGate, skolon: Skolon) -> RequestLog:
    return RequestLog(gate, lambda _organisation, user_id: skolon.user if user_id == "a" else None)


def call(request_log: RequestLog, skolon: Skolon, environ: dict[str, str]) -> list[bytes]:
    return list(request_log.around(skolon)(environ, lambda *_: lambda _: None))


def test_a_patch_that_changes_the_user_counts(request_log: RequestLog, skolon: Skolon) -> None:
    """P4: what a PATCH changed is seen in the user, whatever the answer says."""
    skolon.change = {"city": "Malmö", "meta": {"version": "2"}}
    skolon.status = "500 Internal Server Error"
    call(request_log, skolon, PATCH)
    assert request_log.accounts() == {"effective": {"a": 1}, "idle": {}}


def test_a_patch_without_effect_is_idle(request_log: RequestLog, skolon: Skolon) -> None:
    """P4: one that was carried out, or answered with success, and changed nothing but the version."""
    call(request_log, skolon, PATCH)
    skolon.change = {"meta": {"version": "2"}}
    call(request_log, skolon, PATCH)
    assert request_log.accounts() == {"effective": {}, "idle": {"a": 2}}


def test_a_patch_that_was_refused_does_not_count(request_log: RequestLog, skolon: Skolon) -> None:
    """A precondition that fails, or an outage, has done nothing."""
    skolon.status = "412 Precondition Failed"
    call(request_log, skolon, PATCH)
    call(request_log, skolon, {**PATCH, "REQUEST_METHOD": "GET"})
    assert request_log.accounts() == {"effective": {}, "idle": {}}


def test_a_request_is_held_at_a_moment_until_it_is_decided(
    request_log: RequestLog, skolon: Skolon, gate: RequestGate, told: queue.Queue[Moment]
) -> None:
    """A kill between two steps has all the time that it needs."""
    gate.watch("after-patch")
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.extend(call(request_log, skolon, PATCH)))
    thread.start()
    assert told.get(timeout=10) == "after-patch"
    assert answers == []
    gate.decide("after-patch", "go-on")
    thread.join(10)
    assert answers == [b"{}"]


def test_a_request_may_be_lost_at_a_moment(gate: RequestGate, told: queue.Queue[Moment]) -> None:
    """A PATCH that came and was never carried out."""
    gate.watch("before-patch")
    cut: list[bool] = []

    def wait_at() -> None:
        with pytest.raises(CutConnectionError):
            gate.wait_at("before-patch")
        cut.append(True)

    thread = threading.Thread(target=wait_at)
    thread.start()
    told.get(timeout=10)
    gate.decide("before-patch", "cut")
    thread.join(10)
    assert cut == [True]


def test_moments_are_let_pass_that_nobody_asked_for(gate: RequestGate, told: queue.Queue[Moment]) -> None:
    """Nothing is held without a watch, before its turn, or after it was given up."""
    gate.wait_at("page")
    gate.watch("page", skip=2)
    gate.wait_at("page")
    gate.wait_at("page")
    gate.forget()
    gate.wait_at("page")
    assert told.empty()
