"""Many municipalities share one pool of workers: what one organisation's trouble costs the others."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from devtools.commands import running, wait_for
from sandbox.skolon.faults import Fault
from schemas.crypto.encryption import new_key
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome, Stage, Status
from tests.acceptance.workers.organisations import (
    HANGING,
    MALFORMED,
    completed,
    organisations,
)

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE: Final = 60

KINDS: Final = {
    "healthy": "",
    "broken-1": "unavailable",
    "broken-2": "nowhere",
    "broken-3": "unknown",
    "broken-4": MALFORMED,
    "broken-5": HANGING,
    "broken-6": HANGING,
    "broken-7": MALFORMED,
    "broken-8": "unavailable",
}
BROKEN: Final = tuple(key for key in KINDS if key != "healthy")


def test_a_broken_organisation_is_its_own_trouble(amqp_url: str, database_url: str, tmp_path: Path) -> None:
    """P7, P8: beside eight broken organisations a healthy one is done, while theirs wait.

    A server that says that it cannot search is no outage: its run halts.
    """
    servers = {
        "UPDATE_SYNC_AMQP_URL": amqp_url,
        "UPDATE_SYNC_DATABASE_URL": database_url,
        "UPDATE_SYNC_SECRET_KEYS": new_key(),
    }
    with ExitStack() as stack:
        served = stack.enter_context(organisations(tmp_path, KINDS, people=PEOPLE, servers=servers))
        for command in ("producer", "worker"):
            stack.enter_context(running(command, env=served.env, log=tmp_path / f"{command}.log"))
        broken = [served.trigger(key) for key in BROKEN]
        for key in BROKEN:
            wait_for(lambda key=key: served.asked(key), f"a request of {key}")  # type: ignore[misc] # bound at once
        healthy = completed(served.store, served.trigger("healthy"))
        expected = served.municipalities["healthy"].expected_outcomes("first")
        assert {outcome: count for outcome, count in healthy.counts.items() if count} == expected
        for key, run in zip(BROKEN, broken, strict=True):
            waiting = served.store.runs.summary(run)
            is_outage = KINDS[key] != "unknown"
            assert (waiting.run.status, waiting.run.cause) == (
                (Status.UPDATING, None) if is_outage else (Status.HALTED, Cause.SKOLON_SEARCH)
            )
            assert waiting.counts[Outcome.PENDING]
            assert not {Reason.GAVE_UP, Reason.REJECTED_BY_SKOLON, Reason.BUG}.intersection(waiting.reasons)
        served.release()


def test_one_users_trouble_is_its_own(amqp_url: str, database_url: str, tmp_path: Path) -> None:
    """P7: whose record is odd, whose change Skolon cannot make, whom a firewall stops: each a dead letter."""
    servers = {
        "UPDATE_SYNC_AMQP_URL": amqp_url,
        "UPDATE_SYNC_DATABASE_URL": database_url,
        "UPDATE_SYNC_SECRET_KEYS": new_key(),
    }
    with ExitStack() as stack:
        served = stack.enter_context(organisations(tmp_path, {"exempel": ""}, people=PEOPLE, servers=servers))
        everybody = list(served.municipalities["exempel"])
        right = [person for person in everybody if person.outcome == "unchanged"]
        changed = next(person for person in everybody if person.outcome == "updated")
        odd, blocked = right[0], right[1]
        served.malformed.add(str(odd.claims))
        served.blocked.add(blocked.entra["id"])
        served.skolon.faults.add(
            Fault(kind="status", status=500, times=None, method="PATCH", user_id=str(changed.claims))
        )
        for command in ("producer", "worker"):
            stack.enter_context(running(command, env=served.env, log=tmp_path / f"{command}.log"))
        run = completed(served.store, served.trigger("exempel"))
        assert run.run.status is Status.COMPLETED
        dead_letters = served.store.receipts.list(run.run.id, reason=Reason.REJECTED_BY_SKOLON)
        told = {
            dead_letter.entra_id: (dead_letter.stage, str(dead_letter.detail).split(" (")[0])
            for dead_letter in dead_letters
        }
        assert told.pop(changed.entra["id"]) == (Stage.UPDATE, "HTTP 500")
        assert told.pop(odd.entra["id"])[0] is Stage.MATCH
        stage, detail = told.pop(blocked.entra["id"])
        assert stage is Stage.MATCH
        assert "HTTP 403" in detail
        assert told == {}
        expected = served.municipalities["exempel"].expected_outcomes("first")
        assert run.counts[Outcome.DEAD_LETTERED] == expected["dead_lettered"] + 3
