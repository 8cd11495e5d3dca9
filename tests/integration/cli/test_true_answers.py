"""Answers that were wrong once: who failed, what a dry run would do, what a reason belongs to, old dates."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, structured_json
from schemas.details.kinds import DetailKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Stage
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA, Failure, Forecast, SyncResult, Unwritten
from schemas.users.attributes import Attribute
from tests.contract.store.factories import begin_run
from tests.integration.cli.command_line import open_store

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store

ANNA, BO = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(2))
NO_NUMBER = Detail(DetailKind.NOT_A_PERSONAL_NUMBER, attribute="ssn", country="SE")
INVALID = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail=NO_NUMBER)


def end(store: Store, run: Run) -> None:
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)


def test_the_report_says_who_failed(env: dict[str, str], store: Store) -> None:
    """Whatever the reason: with the reason and the detail of each."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    store.receipts.mark_dead_lettered(run.id, BO, INVALID, 1)
    store.receipts.finish(run.id, ANNA, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
    end(store, run)

    text = update_sync("tenants", "report", "exempel", env=env).stdout
    assert "People whose update failed, those above included: 1" in text
    assert "SSN: not a valid personal number (Sweden)" in text
    failed = json_output("tenants", "report", "exempel", env=env)["failed"]
    assert failed == {
        "count": 1,
        "users": [
            {
                "user": BO,
                "reason": "invalid_user",
                "detail": INVALID.detail,
                "structured_detail": structured_json(INVALID.detail),
            }
        ],
    }


def test_why_users_failed_is_told_by_attribute(env: dict[str, str], store: Store) -> None:
    """In `runs show` as text too: for which reason, and what was not written."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    fault = Unwritten(reason=Reason.INVALID_USER, stage=Stage.MAP, fault=NO_NUMBER)
    incomplete = SyncResult(outcome=Outcome.UPDATED, skolon_id="s1", unwritten={Attribute.SSN: fault})
    store.receipts.record_incomplete(run.id, ANNA, incomplete)
    store.receipts.mark_dead_lettered(run.id, ANNA, INVALID, 1)
    store.receipts.mark_dead_lettered(run.id, BO, INVALID, 1)
    end(store, run)

    lines = update_sync("runs", "show", "1", env=env).stdout.splitlines()
    table = lines[lines.index("failed for\tattributes not written\tusers") :]
    assert table[1:3] == ["invalid_user\t-\t1", "invalid_user\tSSN\t1"]


def test_a_user_that_entra_does_not_have_is_told(env: dict[str, str], store: Store) -> None:
    """Of a run of named users; the command that waits for it ends with 1."""
    request = SyncRequest(tenant="exempel", users=(ANNA, BO))
    run = store.triggers.open(request, "named").run
    store.receipts.create_pending(run.id, [ANNA, BO])
    store.receipts.finish(run.id, ANNA, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
    store.receipts.finish(run.id, BO, NO_LONGER_IN_ENTRA)
    end(store, run)

    done = update_sync("runs", "watch", "1", env=env)
    assert done.returncode == 1
    assert f"Entra has no user with the id {BO}; check that it is right" in done.stdout
    assert json_output("runs", "show", "1", env=env)["not_in_entra"] == [BO]


def test_a_forecast_says_so_far_while_it_grows(env: dict[str, str], store: Store) -> None:
    """Workers go on to look at users after the halt; when the run is cancelled, it is final."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    store.runs.finish_reading(run.id)
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    assert "it is not known so far what it would do" in update_sync("runs", "show", "1", env=env).stdout
    store.forecasts.record(run.id, ANNA, Forecast(outcome=Outcome.UPDATED, change_kinds={}))
    assert "not evaluated so far  1" in update_sync("runs", "show", "1", env=env).stdout
    store.runs.cancel(run.id)
    shown = update_sync("runs", "show", "1", env=env).stdout
    assert "not evaluated  1" in shown
    assert "so far" not in shown


def test_a_dry_run_has_updated_nobody(env: dict[str, str], store: Store) -> None:
    """What it would update stands in a column of its own."""
    run = begin_run(store, "event", ANNA, dry_run=True, key="exempel")
    store.receipts.finish(run.id, ANNA, SyncResult(outcome=Outcome.WOULD_UPDATE, skolon_id="s1"))
    end(store, run)

    listed = update_sync("runs", "list", "--kind", "preview", env=env).stdout
    headings, row = (line.split("\t") for line in listed.splitlines())
    shown = dict(zip(headings, row, strict=True))
    assert (shown["updated"], shown["would update"]) == ("0", "1")
    outcomes = json_output("runs", "list", "--kind", "all", env=env)[0]["outcomes"]
    assert (outcomes["updated"], outcomes["would_update"]) == (0, 1)


def test_reasons_stand_under_the_dead_letters(env: dict[str, str], store: Store) -> None:
    """Whichever outcome came first."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    store.receipts.mark_dead_lettered(run.id, BO, INVALID, 1)
    store.receipts.finish(run.id, ANNA, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
    end(store, run)

    lines = update_sync("runs", "show", str(run.id), env=env).stdout.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.strip().startswith("invalid_user")]
    assert lines[place - 1].strip().startswith("dead_lettered")


def test_a_delta_that_joins_a_full_run_is_told_from_its_own(store: Store) -> None:
    store.triggers.open(SyncRequest(tenant="exempel"), "full")
    joined = store.triggers.open(SyncRequest(tenant="exempel", mode=Mode.DELTA), "delta")

    assert (joined.new, joined.run.mode) == (False, Mode.FULL)
    assert store.triggers.has_joined("delta")
    assert not store.triggers.has_joined("full")


def test_a_new_secret_has_no_old_date(env: dict[str, str]) -> None:
    """The date of the former secret is forgotten, and that is said; a date that is given is kept."""
    dated = {"client_secret_expires": "2026-12-01"}
    update_sync("tenants", "set", "exempel", "--from", "-", env=env, stdin=json.dumps(dated))

    done = update_sync(
        "tenants",
        "set",
        "exempel",
        "--from",
        "-",
        env=env,
        stdin=json.dumps({"client_secret": "new~made~up"}),
    )

    assert "client_secret, client_secret_expires" in done.stdout
    assert "--client-secret-expires" in done.stderr
    assert json_output("tenants", "show", "exempel", env=env)["client_secret_expires"] is None
    both = {"client_secret": "newer~made~up~value", "client_secret_expires": "2027-12-01"}
    told = update_sync("tenants", "set", "exempel", "--from", "-", env=env, stdin=json.dumps(both))
    assert told.stderr == ""
    with closing(open_store(env)) as opened:
        assert opened.tenants.settings("exempel").client_secret_expires == dt.date(2027, 12, 1)
