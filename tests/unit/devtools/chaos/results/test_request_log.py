"""The account of what PATCH requests did, and the moments at which a request is held."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from devtools.chaos.results.request_log import Gate, Ledger, Moment
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
def gate(told: queue.Queue[Moment]) -> Gate:
    return Gate(told.put)


@pytest.fixture
def ledger(gate: Gate, skolon: Skolon) -> Ledger:
    return Ledger(gate, lambda _organisation, user_id: skolon.user if user_id == "a" else None)


def call(ledger: Ledger, skolon: Skolon, environ: dict[str, str]) -> list[bytes]:
    return list(ledger.around(skolon)(environ, lambda *_: lambda _: None))


def test_a_patch_that_changes_the_user_counts(ledger: Ledger, skolon: Skolon) -> None:
    """P4: what a PATCH changed is seen in the user, whatever the answer says."""
    skolon.change = {"city": "Malmö", "meta": {"version": "2"}}
    skolon.status = "500 Internal Server Error"
    call(ledger, skolon, PATCH)
    assert ledger.accounts() == {"effective": {"a": 1}, "idle": {}}


def test_a_patch_without_effect_is_idle(ledger: Ledger, skolon: Skolon) -> None:
    """P4: one that was carried out, or answered with success, and changed nothing but the version."""
    call(ledger, skolon, PATCH)
    skolon.change = {"meta": {"version": "2"}}
    call(ledger, skolon, PATCH)
    assert ledger.accounts() == {"effective": {}, "idle": {"a": 2}}


def test_a_patch_that_was_refused_does_not_count(ledger: Ledger, skolon: Skolon) -> None:
    """A precondition that fails, or an outage, has done nothing."""
    skolon.status = "412 Precondition Failed"
    call(ledger, skolon, PATCH)
    call(ledger, skolon, {**PATCH, "REQUEST_METHOD": "GET"})
    assert ledger.accounts() == {"effective": {}, "idle": {}}


def test_a_request_is_held_at_a_moment_until_it_is_decided(
    ledger: Ledger, skolon: Skolon, gate: Gate, told: queue.Queue[Moment]
) -> None:
    """A kill between two steps has all the time that it needs."""
    gate.watch("after-patch")
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.extend(call(ledger, skolon, PATCH)))
    thread.start()
    assert told.get(timeout=10) == "after-patch"
    assert answers == []
    gate.decide("after-patch", "go-on")
    thread.join(10)
    assert answers == [b"{}"]


def test_a_request_may_be_lost_at_a_moment(gate: Gate, told: queue.Queue[Moment]) -> None:
    """A PATCH that came and was never carried out."""
    gate.watch("before-patch")
    cut: list[bool] = []

    def meet() -> None:
        with pytest.raises(CutConnectionError):
            gate.meet("before-patch")
        cut.append(True)

    thread = threading.Thread(target=meet)
    thread.start()
    told.get(timeout=10)
    gate.decide("before-patch", "cut")
    thread.join(10)
    assert cut == [True]


def test_moments_are_let_pass_that_nobody_asked_for(gate: Gate, told: queue.Queue[Moment]) -> None:
    """Nothing is held without a watch, before its turn, or after it was given up."""
    gate.meet("page")
    gate.watch("page", skip=2)
    gate.meet("page")
    gate.meet("page")
    gate.forget()
    gate.meet("page")
    assert told.empty()
