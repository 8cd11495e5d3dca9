"""The stand-ins in a process of their own: the interpreter that plays Graph and Skolon does nothing else.

The two processes talk over a pipe: orders there, answers back, and back as well the moments that were
asked for (`request_log.RequestGate`).
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from devtools.chaos.results.request_log import MOMENTS, Decision, Moment
from devtools.chaos.stand_ins_process import Ready, serve_stand_ins

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

#: Seconds for the stand-ins to be there, and for an order.
START: Final = 120.0
PATIENCE: Final = 60.0


class StandIns:
    """The parent's side: start the process, give orders, hear of moments. A context manager.

    `folder` takes the certificate; `page` is the number of people on a page of Graph's list.
    """

    def __init__(self, folder: Path, *, people: int, seed: int, page: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve_stand_ins, args=(theirs, folder, people, seed, page), name="stand-ins", daemon=True
        )
        self._process.start()
        theirs.close()
        self._lock = threading.Lock()
        self._answers: queue.Queue[Any] = queue.Queue()
        self._moments: dict[Moment, queue.Queue[None]] = {moment: queue.Queue() for moment in MOMENTS}
        self._reader = threading.Thread(target=self._read, name="stand-ins' answers", daemon=True)
        self.environment: dict[str, str] = {}
        self.tenant: dict[str, Any] = {}
        self.other_tenants: Mapping[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._reader.start()
        ready: Ready = self._answer(START)
        self.environment, self.tenant = ready.environment, ready.tenant
        self.other_tenants = ready.other_tenants
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.send(None)
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.join()
        self._pipe.close()

    def skolon_fault(self, **fields: Any) -> int:
        """Switch a fault of Skolon's on; the fields are those of `sandbox.skolon.faults.Fault`.

        Returns its number, for `strikes_left`.
        """
        return int(self._order("skolon_fault", fields))

    def graph_fault(self, **fields: Any) -> int:
        """Switch a fault of Graph's or Entra's on; the fields are those of `microsoft.faults.Fault`.

        Returns its number, for `strikes_left`.
        """
        return int(self._order("graph_fault", fields))

    def strikes_left(self, number: int) -> int:
        """Return how many requests a fault that was switched on may still strike."""
        return int(self._order("strikes_left", number))

    def take_back(self, number: int) -> int:
        """Switch one fault off, and return how many requests it might still have struck."""
        return int(self._order("take_back", number))

    def tokens_issued(self, by: Literal["skolon", "entra"]) -> int:
        """Return how often a token was asked for so far."""
        return int(self._order("tokens_issued")[by])

    def clear_faults(self) -> None:
        """Switch every fault off."""
        self._order("clear_faults")

    def expire_skolon_tokens(self) -> None:
        """Make every token of Skolon's worthless; new ones can be had."""
        self._order("expire_skolon_tokens")

    def demand_claims(self) -> None:
        """Refuse every token of Entra's that was not got with a claims challenge of now."""
        self._order("demand_claims")

    def watch(self, moment: Moment, skip: int = 0) -> None:
        """Ask to be told of such a moment by `has_come`; the request is held until `decide`."""
        self._order("watch", moment, skip)

    def has_come(self, moment: Moment) -> bool:
        """Say, once, whether a moment that was asked for has come."""
        try:
            self._moments[moment].get_nowait()
        except queue.Empty:
            return False
        return True

    def forget_moments(self) -> None:
        """Ask for no moment any more."""
        self._order("forget_moments")

    def decide(self, moment: Moment, decision: Decision) -> None:
        """Say what becomes of the request that is held at that moment."""
        self._order("decide", moment, decision)

    def patches(self) -> dict[str, dict[str, int]]:
        """Return, by Skolon user, how many PATCHes were `effective` and how many `idle`."""
        found: dict[str, dict[str, int]] = self._order("patches")
        return found

    def wrong_users(self) -> list[str]:
        """Return the Skolon users that are not as the municipality's own expectation has them."""
        found: list[str] = self._order("wrong_users")
        return found

    def wrong_users_of(self, key: str, unfinished: Collection[str]) -> list[str]:
        """Return the same for a small municipality; of people who are `unfinished` both states are right."""
        found: list[str] = self._order("wrong_users_of", key, unfinished)
        return found

    def break_organisation(self, organisation: str, variant: str, after: int) -> None:
        """Break an organisation, once it has answered so many requests (`broken_organisation`)."""
        self._order("break_organisation", organisation, variant, after)

    def heal_organisation(self) -> None:
        """Have the organisation that is broken answer as ever."""
        self._order("heal_organisation")

    def organisation_struck(self) -> int:
        """Return how many requests the broken organisation has answered badly, or not at all."""
        return int(self._order("organisation_struck"))

    def _order(self, name: str, *arguments: Any) -> Any:
        with self._lock:
            self._pipe.send((name, arguments))
            return self._answer(PATIENCE)

    def _answer(self, seconds: float) -> Any:
        answer = self._answers.get(timeout=seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _read(self) -> None:
        while True:
            try:
                kind, value = self._pipe.recv()
            except (EOFError, OSError):
                self._answers.put(RuntimeError("the stand-ins' process is gone"))
                return
            if kind == "moment":
                self._moments[value].put(None)
            else:
                self._answers.put(value)
