"""What a halted run asks: what it has done and would go on to do, together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from administration.runs.details import details_of
from administration.users.side_by_side import Agreement, AttributeRow, side_by_side
from administration.users.view import reveal, view_user
from schemas.details.detail import structured_json
from schemas.errors import HaltError, PermanentError, TransientError
from schemas.outcomes import QUESTION_CAUSES, Cause, Outcome
from schemas.runs.changes import IDENTITY_ATTRIBUTES, ChangeCounts, ChangeKind, change_kind
from workers.pipeline.undo import reversion_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.gateways import Gateways
    from schemas.hub.member import Member
    from schemas.runs.run import Run, RunSummary
    from schemas.users.attributes import Attribute
    from store.store import Store


#: Users of a sample: each is asked for in Entra and in Skolon.
_SAMPLE: Final = 5

_CHANGES: Final = (Agreement.FILLED, Agreement.CHANGED, Agreement.ERASED)


class QuestionKind(StrEnum):
    """What there are more users of than a limit allows, by the limit's name."""

    CHANGED = "changed"
    IDENTITY_CHANGED = "identity_changed"
    NOT_FOUND = "not_found"
    FAILED = "failed"
    LEFT_SCOPE = "left_scope"
    #: Entra's list was empty, or far fewer users were found in Skolon than before.
    FEW_FOUND = "few_found"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a halted run asks about so many `users`; there are more of them if not all were looked at.

    `attribute` is the one of an identity that changes most. `changes` are those that were made and those that
    would be.
    """

    kind: QuestionKind
    users: int
    attribute: Attribute | None
    changes: ChangeCounts
    is_complete: bool

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "kind": str(self.kind),
            "users": self.users,
            "attribute": self.attribute and str(self.attribute),
            "changed": self.changes.users,
            "attributes": self.changes.as_json(),
            "complete": self.is_complete,
        }


@dataclass(frozen=True, kw_only=True)
class SampledUser:
    """A user that would change: the attributes that differ, both sides with values.

    Of an undo the one side is what the run has overwritten, in place of Entra's values.

    `is_unknown` says that Entra or Skolon could not be asked, so that there are none.
    """

    user: str
    rows: tuple[AttributeRow, ...]
    is_unknown: bool = False


def question_of(summary: RunSummary, *, store: Store) -> Question | None:
    """Return what a run asks, None for one that was not halted with a question."""
    run = summary.run
    if run.cause not in QUESTION_CAUSES:
        return None
    details = details_of(summary, store)
    prospect = details.prospect
    changes = details.changes if prospect is None else _together(details.changes, prospect.changes)
    outcomes = Counter(summary.counts)
    outcomes.update({} if prospect is None else prospect.outcomes)
    kind = QuestionKind.FEW_FOUND
    if run.cause is Cause.GUARD_EXCEEDED:
        told = structured_json(run.detail)
        limit = told["parameters"].get("limit") if told else None
        kind = QuestionKind(limit) if limit in list(QuestionKind) else QuestionKind.CHANGED
    users = {
        QuestionKind.CHANGED: changes.users,
        QuestionKind.IDENTITY_CHANGED: changes.identity,
        QuestionKind.NOT_FOUND: outcomes[Outcome.NOT_FOUND],
        QuestionKind.FAILED: outcomes[Outcome.DEAD_LETTERED],
        QuestionKind.LEFT_SCOPE: sum(each.users for each in details.scope_exits),
        QuestionKind.FEW_FOUND: outcomes[Outcome.NOT_FOUND],
    }[kind]
    attribute = None
    if kind is QuestionKind.IDENTITY_CHANGED:
        of_attribute = _identity_changes(changes)
        attribute = max(of_attribute, key=lambda each: of_attribute[each], default=None)
        users = of_attribute[attribute] if attribute is not None else users
    return Question(
        kind=kind,
        users=users,
        attribute=attribute,
        changes=changes,
        is_complete=prospect is not None and not prospect.not_evaluated and prospect.not_listed == 0,
    )


def sample_of(run: Run, member: Member, *, store: Store, gateways: Gateways) -> Sequence[SampledUser]:
    """Return some users that a halted run would change, with values, and record that the member sees them."""
    tenant = run.tenant
    users = store.forecasts.changing_users(run.id, limit=_SAMPLE)
    reveal(tenant, users, member, store=store)
    sampled = []
    for user in users:
        if run.reverts_run_id is not None:
            sampled.append(_restored(run, user, store=store, gateways=gateways))
            continue
        view = view_user(tenant, user, values=True, store=store, gateways=gateways)
        now = None if view is None else view.now
        compared = [] if now is None else side_by_side(now)
        rows = compared[0].rows if compared and compared[0].is_match else ()
        changing = tuple(row for row in rows if row.agreement in _CHANGES)
        sampled.append(SampledUser(user=user, rows=changing, is_unknown=now is not None and now.is_unknown))
    return sampled


def _restored(run: Run, user: str, *, store: Store, gateways: Gateways) -> SampledUser:
    """Return what an undo would restore of a user, as things stand now."""
    record = store.undo_records.load(run.reverts_run_id or 0, user, before=run.id)
    if record is None:
        return SampledUser(user=user, rows=())
    tenant = store.tenants.outline(run.tenant)
    try:
        held = gateways.skolon(tenant.skolon_target, dry_run=True).read(tenant.organisation, record.skolon_id)
    except (HaltError, PermanentError, TransientError):
        return SampledUser(user=user, rows=(), is_unknown=True)
    if held is None or held.is_protected:
        return SampledUser(user=user, rows=())
    changes = reversion_of(record, held, user).changes
    rows = tuple(
        AttributeRow(
            attribute=attribute,
            entra=former,
            rule=None,
            skolon=held.attributes.get(attribute),
            agreement=Agreement(change_kind(held.attributes.get(attribute), former)),
            hint=None,
            identity=attribute in IDENTITY_ATTRIBUTES,
        )
        for attribute, former in changes.items()
    )
    return SampledUser(user=user, rows=rows)


def _together(made: ChangeCounts, foreseen: ChangeCounts) -> ChangeCounts:
    attributes: dict[Attribute, Counter[ChangeKind]] = {}
    for counts in (made, foreseen):
        for attribute, kinds in counts.attributes.items():
            attributes.setdefault(attribute, Counter()).update(kinds)
    return ChangeCounts(
        users=made.users + foreseen.users,
        identity=made.identity + foreseen.identity,
        attributes=attributes,
    )


def _identity_changes(changes: ChangeCounts) -> dict[Attribute, int]:
    """Return how many users each attribute of an identity changes for; to fill one locks no user out."""
    return {
        attribute: sum(users for kind, users in kinds.items() if kind is not ChangeKind.FILLED)
        for attribute, kinds in changes.attributes.items()
        if attribute in IDENTITY_ATTRIBUTES
    }
