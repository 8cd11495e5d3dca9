"""The stand-ins' own process: serves them, and obeys the orders of `stand_ins.StandIns`."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from devtools.chaos.faults.broken_organisation import BrokenOrganisation
from devtools.chaos.faults.small_tenants import small_municipalities
from devtools.chaos.results.request_log import Decision, Moment, RequestGate, RequestLog
from sandbox.environment import Environment, serve_environment
from sandbox.microsoft.control import read_fault
from sandbox.skolon.faults import Fault as SkolonFault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from multiprocessing.connection import Connection
    from pathlib import Path

#: Requests that the stand-ins have under way at once: those that hang must not hold up the others there.
_THREADS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The first answer: the stand-ins are served, and this is what to set to find them."""

    environment: dict[str, str]
    tenant: dict[str, Any]
    other_tenants: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class _SwitchedOn:
    """A stand-in's fault: how often it may still strike, and how it is switched off."""

    left: Callable[[], int]
    remove: Callable[[], None]


class _Orders:
    """One method for each order."""

    def __init__(
        self, served: Environment, gate: RequestGate, request_log: RequestLog, broken: BrokenOrganisation
    ) -> None:
        self._world = served
        self._gate = gate
        self._ledger = request_log
        self._broken = broken
        #: The faults that were switched on, by their numbers.
        self._switched_on: list[_SwitchedOn] = []

    def skolon_fault(self, fields: dict[str, Any]) -> int:
        # The book replaces a fault by one with a strike less: its detail is what stays.
        fault = SkolonFault(**fields, detail=f"Fault {len(self._switched_on)} of the schedule")
        faults = self._world.skolon.faults
        faults.add(fault)

        def left() -> int:
            waiting = (one["times"] for one in faults.waiting() if one["detail"] == fault.detail)
            return next(waiting, 0)

        return self._number(left, lambda: faults.remove(fault))

    def graph_fault(self, fields: dict[str, Any]) -> int:
        fault = read_fault(fields)
        faults = self._world.microsoft.faults
        faults.add(fault)
        return self._number(lambda: faults.left(fault), lambda: faults.remove(fault))

    def strikes_left(self, number: int) -> int:
        return self._switched_on[number].left()

    def take_back(self, number: int) -> int:
        fault = self._switched_on[number]
        left = fault.left()
        fault.remove()
        return left

    def tokens_issued(self) -> dict[str, int]:
        return {
            "skolon": self._world.skolon.requests().get("POST token", 0),
            "entra": self._world.microsoft.requests.counts().get("token", 0),
        }

    def _number(self, left: Callable[[], int], remove: Callable[[], None]) -> int:
        self._switched_on.append(_SwitchedOn(left=left, remove=remove))
        return len(self._switched_on) - 1

    def clear_faults(self) -> None:
        self._world.skolon.faults.clear()
        self._world.microsoft.faults.clear()

    def expire_skolon_tokens(self) -> None:
        self._world.skolon.tokens.expire_all()

    def demand_claims(self) -> None:
        tenant = self._world.tenant
        self._world.microsoft.entra.change(
            tenant["entra_tenant_id"], tenant["client_id"], claims_demanded=True
        )

    def watch(self, moment: Moment, skip: int) -> None:
        self._gate.watch(moment, skip)

    def forget_moments(self) -> None:
        self._gate.forget()

    def decide(self, moment: Moment, decision: Decision) -> None:
        self._gate.decide(moment, decision)

    def patches(self) -> dict[str, dict[str, int]]:
        return self._ledger.accounts()

    def wrong_users(self) -> list[str]:
        return self._world.wrong_users()

    def wrong_users_of(self, key: str, unfinished: Collection[str]) -> list[str]:
        return self._world.wrong_users_of(key, unfinished)

    def break_organisation(self, organisation: str, variant: str, after: int) -> None:
        self._broken.break_off(organisation, variant, after)

    def heal_organisation(self) -> None:
        self._broken.heal()

    def organisation_struck(self) -> int:
        return self._broken.struck


def serve_stand_ins(pipe: Connection, folder: Path, people: int, seed: int, page: int) -> None:
    """Serve the stand-ins until the parent says so, or is gone."""
    # Connections that break are what this is about: the server's complaints go to a file.
    logging.basicConfig(filename=folder / "stand-ins.txt")
    sending = threading.Lock()

    def send(kind: str, value: object) -> None:
        with sending:
            pipe.send((kind, value))

    environments: list[Environment] = []
    gate = RequestGate(lambda moment: send("moment", moment))

    def user(organisation: str, user_id: str) -> dict[str, Any] | None:
        return environments[0].skolon.user(organisation, user_id)

    request_log, broken = RequestLog(gate, user), BrokenOrganisation()
    with serve_environment(
        folder,
        users=people,
        seed=seed,
        others=small_municipalities(seed),
        threads=_THREADS,
        around=lambda application: broken.around(request_log.around(application)),
    ) as served:
        environments.append(served)
        for directory in served.microsoft.directories.values():
            directory.most_on_a_page = page
        orders = _Orders(served, gate, request_log, broken)
        send(
            "answer",
            Ready(environment=served.variables, tenant=served.tenant, other_tenants=served.other_tenants),
        )
        while (order := _next(pipe)) is not None:
            name, arguments = order
            try:
                send("answer", getattr(orders, name)(*arguments))
            except Exception as error:  # noqa: BLE001 - the sender of the order gets it
                send("answer", error)


def _next(pipe: Connection) -> tuple[str, tuple[Any, ...]] | None:
    try:
        order: tuple[str, tuple[Any, ...]] | None = pipe.recv()
    except (EOFError, OSError):
        return None
    return order
