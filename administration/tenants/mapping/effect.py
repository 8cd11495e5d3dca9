"""What a draft of a mapping would do to a few real users, asked of Entra and Skolon at that moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from administration.users.explanation import explain_user
from administration.users.redaction import diff_hint, shown_value
from schemas.errors import HaltError, PermanentError
from schemas.outcomes import Outcome, RunKind, Status
from schemas.runs.changes import ChangeKind, change_kind
from schemas.runs.sync_result import SyncResult
from schemas.tenants.mapping.sources import dump_sources
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute
from workers.pipeline import steps
from workers.rules.mapping import invalid_values, resolve_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.tenants.mapping.drafts import DraftView
    from administration.users.explanation import Explanation
    from clients.gateways import Gateways
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from store.store import Store
    from workers.rules.mapping import ResolvedSource

#: Users of a sample.
SAMPLE: Final = 5

#: Seconds that a page waits for all of them.
_PATIENCE: Final = 8.0

#: How many of the sample fail, at most: the others are users that are synced.
_FAILING: Final = 2


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """One attribute of a user: its value and source with the active mapping and with the draft, and Skolon's.

    Values are as they may be shown, None for blank. `change` is what a run with the draft would do to
    Skolon's value, None if it would not touch it. `is_invalid` says that the draft's value breaks a rule.
    """

    attribute: Attribute
    active: str | None
    active_source: str | None
    draft: str | None
    draft_source: str | None
    skolon: str | None
    change: ChangeKind | None
    is_invalid: bool
    hint: str | None

    @property
    def is_lost(self) -> bool:
        """Whether the user has a value with the active mapping alone, so that Skolon's stays as it is."""
        return self.active is not None and self.draft is None and self.change is None


@dataclass(frozen=True, kw_only=True)
class UserEffect:
    """A user with the draft: its rows, and the outcome of a run; None if it is not known.

    `is_away` says that Entra or Skolon did not answer, or not in time.
    """

    user: str
    rows: tuple[EffectRow, ...]
    outcome: Outcome | None
    is_away: bool

    @property
    def lost(self) -> tuple[Attribute, ...]:
        """The attributes that would no longer be synced for the user."""
        return tuple(row.attribute for row in self.rows if row.is_lost)


def sample_users(view: DraftView, *, store: Store) -> list[str]:
    """Return a few users by their Entra ids: first those that the draft's dry run would change."""
    tenant, found = view.draft.tenant, list[str]()
    if view.draft.forecast_event is not None:
        run = store.triggers.find_run(view.draft.forecast_event)
        if run is not None:
            found += _some(run.id, Outcome.WOULD_UPDATE, SAMPLE - _FAILING, store)
            found += _some(run.id, Outcome.DEAD_LETTERED, 1, store)
    complete = store.runs.list(tenant, 1, statuses=(Status.COMPLETED,), kinds=[RunKind.FULL])
    for summary in complete:
        found += _some(summary.run.id, Outcome.UPDATED, _FAILING, store)
        found += _some(summary.run.id, Outcome.DEAD_LETTERED, _FAILING, store)
        found += _some(summary.run.id, Outcome.UNCHANGED, SAMPLE, store)
    return list(dict.fromkeys(found))[:SAMPLE]


def effects_of(
    view: DraftView, users: Sequence[str], *, values: bool, store: Store, gateways: Gateways
) -> list[UserEffect]:
    """Return what the draft would do to users; those whom a rule leaves out are not among them.

    Such a user may be protected.
    """
    ends = time.monotonic() + _PATIENCE
    tenant = view.draft.tenant
    saved = store.tenants.outline(tenant)
    override = {"sources": dump_sources(view.draft.sources)}

    def explain(user: str) -> Explanation:
        return explain_user(user, tenant, override=override, values=values, store=store, gateways=gateways)

    pool = ThreadPoolExecutor(max(1, len(users)))
    waiting = {user: pool.submit(explain, user) for user in users}
    found = []
    for user, future in waiting.items():
        try:
            explanation = future.result(timeout=max(0.0, ends - time.monotonic()))
        except FutureTimeoutError:
            found.append(UserEffect(user=user, rows=(), outcome=None, is_away=True))
            continue
        effect = _effect(user, explanation, view, saved)
        if effect is not None:
            found.append(effect)
    # What is too late ends by itself.
    pool.shutdown(wait=False)
    return found


def _some(run: int, outcome: Outcome, limit: int, store: Store) -> list[str]:
    return [each.entra_id for each in store.receipts.list(run, outcome=outcome, limit=limit)]


def _effect(user: str, explanation: Explanation, view: DraftView, saved: Tenant) -> UserEffect | None:
    taken = explanation.explained.steps
    read = next((each.user for each in taken if isinstance(each, steps.ReadStep)), None)
    mapped = next((each for each in taken if isinstance(each, steps.MapStep)), None)
    outcome, is_away = _outcome(explanation)
    if outcome is Outcome.OUT_OF_SCOPE:
        return None
    rows: tuple[EffectRow, ...] = ()
    if read is not None and mapped is not None:
        rows = tuple(_rows(explanation, view, saved, read, mapped))
    return UserEffect(user=user, rows=rows, outcome=outcome, is_away=is_away)


def _outcome(explanation: Explanation) -> tuple[Outcome | None, bool]:
    match explanation.explained.end:
        case SyncResult() as end:
            return end.outcome, False
        case PermanentError():
            return Outcome.DEAD_LETTERED, False
        case HaltError():
            return None, True
        case _:
            return None, True


def _rows(
    explanation: Explanation, view: DraftView, saved: Tenant, user: GraphUser, mapped: steps.MapStep
) -> list[EffectRow]:
    active = resolve_sources(user, saved)
    compared = next(
        (each for each in explanation.explained.steps if isinstance(each, steps.CompareStep)), None
    )
    held = {} if compared is None else compared.user.attributes
    changes = {} if compared is None else compared.changes
    configurable = [attribute for attribute, row in ATTRIBUTE_TABLE.items() if row.configurable]
    told = list(view.differences) or configurable
    rows = []
    for attribute in told:
        before, after = _value(active.get(attribute)), _value(mapped.sources.get(attribute))
        wrong = invalid_values({attribute: after}, saved)
        skolon = held.get(attribute)
        change = change_kind(skolon, changes[attribute]) if attribute in changes else None
        rows.append(
            EffectRow(
                attribute=attribute,
                active=shown_value(attribute, before, values=explanation.values),
                active_source=_source(active.get(attribute)),
                draft=shown_value(attribute, after, values=explanation.values),
                draft_source=_source(mapped.sources.get(attribute)),
                skolon=shown_value(attribute, skolon, values=explanation.values),
                change=change,
                is_invalid=bool(wrong),
                hint=diff_hint(skolon, after) if change is ChangeKind.CHANGED else None,
            )
        )
    return rows


def _value(resolved: ResolvedSource | None) -> str | None:
    return None if resolved is None else resolved.value


def _source(resolved: ResolvedSource | None) -> str | None:
    return None if resolved is None or resolved.value is None else resolved.source
