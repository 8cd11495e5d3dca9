"""What a halted undo asks: some of its users side by side, with what they would get back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.environment import TENANT_KEY
from sandbox.skolon.faults import Fault
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast, SyncResult
from schemas.users.attributes import Attribute
from tests.integration.hub.made_up_runs import finish, start, text_of

if TYPE_CHECKING:
    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser

FORMER = "Forntida"


def halted_undo(stand_ins: Environment, store: Store) -> tuple[int, str, str]:
    """Make a run that changed a user's city, and its undo, halted before it; return the user and the city."""
    held = next(each for each in stand_ins.skolon_users() if each.get("externalId") and each.get("addresses"))
    user, city = held["externalId"].lower(), held["addresses"][0]["locality"]
    old, new = {Attribute.CITY: FORMER}, {Attribute.CITY: city}
    kinds = {Attribute.CITY: ChangeKind.CHANGED}
    run = start(store, TENANT_KEY, "to be undone", [user])
    store.claims.claim(run, user, held["id"], old, new_values=new)
    changed = SyncResult(
        outcome=Outcome.UPDATED, skolon_id=held["id"], changed=tuple(kinds), change_kinds=kinds
    )
    finish(store, run, {user: changed}, [user])
    request = SyncRequest(tenant=TENANT_KEY, mode=Mode.UNDO, reverts_run_id=run)
    undo = store.triggers.open(request, "undo").run.id
    store.receipts.create_pending(undo, [user])
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=1, size=1, most=0, share="0")
    store.runs.halt(undo, Cause.GUARD_EXCEEDED, detail)
    store.forecasts.record(undo, user, Forecast(outcome=Outcome.UPDATED, change_kinds=kinds))
    return undo, user, city


def test_a_halted_undo_shows_what_its_users_would_get_back(
    stand_ins: Environment, administrator: Browser, store: Store
) -> None:
    """Skolon's value now beside the one from before the run, which is recorded; and when Skolon is away."""
    undo, user, city = halted_undo(stand_ins, store)
    path = f"tenants/{TENANT_KEY}/runs/{undo}/resume/"
    form = administrator.open(path)
    assert FORMER not in form.text

    page = administrator.submit(f"{path}sample", form)

    text = text_of(page.text)
    assert re.search(rf"Attribute Skolon now Before run \d+ City {city} {FORMER}", text)
    assert "From Entra" not in text
    shown = [
        each.user
        for each in store.hub_audit.page([TENANT_KEY]).entries
        if each.kind is AuditKind.VALUES_REVEALED
    ]
    assert user in shown

    stand_ins.skolon.faults.add(Fault(kind="status", status=503, times=None))
    away = administrator.submit(f"{path}sample", form)
    assert "does not answer just now, so the values are missing" in text_of(away.text)
    assert FORMER not in away.text
    store.runs.cancel(undo)
