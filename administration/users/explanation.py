"""What the sync would do to one user, step by step; values are masked unless asked for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from administration.users.redaction import diff_hint, shown_value
from schemas.details.detail import Detail, structured_json
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, HaltError, PermanentError, TransientError
from schemas.runs.changes import IDENTITY_ATTRIBUTES, change_kind
from schemas.runs.sync_result import SyncResult
from schemas.tenants.settings_override import apply_override
from schemas.users.attributes import Attribute
from workers.dry_run.explain import explain
from workers.pipeline import steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.gateways import Gateways
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from workers.dry_run.explain import UserExplanation

#: What an explanation says of how the steps ended.
END_FIELDS: Final = (
    "outcome",
    "reason",
    "stage",
    "cause",
    "away",
    "structured_away",
    "detail",
    "structured_detail",
)


_SERVICE_NAMES: Final = {
    Dependency.ENTRA: "Entra",
    Dependency.GRAPH: "Microsoft Graph",
    Dependency.SKOLON: "Skolon",
}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The steps of one user's dry run; with `values`, values are shown as they are."""

    user: str
    explained: UserExplanation
    values: bool

    @property
    def succeeded(self) -> bool:
        """Whether the steps ended with an outcome, and not with an error."""
        return isinstance(self.explained.end, SyncResult)

    @property
    def not_compared(self) -> tuple[Attribute, ...]:
        """The attributes of which the comparison says nothing; none if there was no comparison.

        No source is set, Entra does not give its property, or Skolon's server does not have the attribute.
        """
        known: set[Attribute] = set()
        for step in self.explained.steps:
            match step:
                case steps.MapStep():
                    known = {attribute for attribute, each in step.sources.items() if each.known}
                    known.discard(Attribute.BIRTH_DATE)
                case steps.BirthDateStep() if step.birthday.problem is None:
                    known.add(Attribute.BIRTH_DATE)
                case steps.CompareStep():
                    known -= step.user.absent
                    return tuple(attribute for attribute in Attribute if attribute not in known)
                case _:
                    pass
        return ()

    def as_json(self) -> dict[str, Any]:
        """Return the steps, what they did not compare, and how they ended."""
        return {
            "user": self.user,
            "steps": [self._step(step) for step in self.explained.steps],
            "not_compared": [str(attribute) for attribute in self.not_compared],
            **_end(self.explained.end),
        }

    def _value(self, attribute: Attribute, value: str | None) -> str | None:
        return shown_value(attribute, value, values=self.values)

    def _step(self, step: steps.Step) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of step
        match step:
            case steps.ReadStep():
                return {"step": "read", "found": step.user is not None, "by_id": step.by_id}
            case steps.ScopeStep():
                rules = [
                    {
                        "setting": each.setting,
                        "allows": each.allows,
                        "because": each.reason,
                        "rule": each.rule and (each.rule.text if self.values else each.rule.label),
                    }
                    for each in step.results
                ]
                return {
                    "step": "scope",
                    "in_scope": all(each.allows for each in step.results),
                    "rules": rules,
                }
            case steps.MapStep():
                return {"step": "map", "attributes": self._mapped(step)}
            case steps.SearchStep():
                hits = [
                    {"key": str(each.key), "skolon_users": [user.id for user in each.users]}
                    for each in step.key_matches
                ]
                return {"step": "search", "keys": hits}
            case steps.MatchStep():
                found = step.match
                return {
                    "step": "match",
                    "by": None if found is None else str(found.key),
                    "skolon_user": None if found is None else found.user.id,
                }
            case steps.OwnerStep():
                shown = self._value(Attribute.EXTERNAL_ID, step.external_id)
                own = (step.external_id or "").lower() == self.user.lower()
                return {"step": "owner", "external_id": shown, "is_own": own, "is_others": step.is_others}
            case steps.BirthDateStep():
                birthday = step.birthday
                shown = self._value(Attribute.BIRTH_DATE, birthday.value)
                return {"step": "birth_date", "value": shown, "problem": birthday.problem}
            case steps.EvidenceStep():
                return {
                    "step": "evidence",
                    "agrees": sorted(step.evidence.agrees),
                    "differs": sorted(step.evidence.differs),
                    "is_proven": step.is_proven,
                }
            case steps.CompareStep():
                return self._compared(step)

    def _mapped(self, step: steps.MapStep) -> list[dict[str, Any]]:
        return [
            {
                "attribute": str(attribute),
                "source": each.source,
                "value": self._value(attribute, each.value),
                "known": each.known,
            }
            for attribute, each in step.sources.items()
            if attribute is not Attribute.BIRTH_DATE
        ]

    def _compared(self, step: steps.CompareStep) -> dict[str, Any]:
        changes = self.changes_json(step.user, step.changes)
        return {"step": "compare", "changes": changes, "kept": [str(attribute) for attribute in step.kept]}

    def changes_json(self, user: SkolonUser, changes: Mapping[Attribute, str | None]) -> list[dict[str, Any]]:
        """Return changes of a Skolon user, with both values as they may be shown."""
        held = user.attributes
        return [
            {
                "attribute": str(attribute),
                "kind": str(change_kind(held.get(attribute), new)),
                "identity": attribute in IDENTITY_ATTRIBUTES,
                "from": self._value(attribute, held.get(attribute)),
                "to": self._value(attribute, new),
                "hint": diff_hint(held.get(attribute), new),
            }
            for attribute, new in changes.items()
        ]


def _end(end: object) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(END_FIELDS)
    match end:
        case SyncResult():
            return {**found, "outcome": str(end.outcome), **_detail(end.detail)}
        case PermanentError():
            said = {"outcome": "dead_lettered", "reason": str(end.reason), "stage": str(end.stage)}
            return {**found, **said, **_detail(end.detail)}
        case HaltError():
            return {**found, "cause": str(end.cause), **_detail(end.detail)}
        case TransientError():
            away = Detail(
                DetailKind.NOT_ASKED,
                service=_SERVICE_NAMES.get(end.dependency, end.dependency),
                problem=end.detail,
            )
            return {**found, "away": away, "structured_away": structured_json(away)}
        case _:
            return {**found, "away": str(end)}


def _detail(detail: str | None) -> dict[str, Any]:
    return {"detail": detail, "structured_detail": structured_json(detail)}


def explain_user(  # noqa: PLR0913 - the user, the settings, how to show them, and the source
    user: str,
    tenant: str,
    *,
    override: Mapping[str, Any],
    values: bool,
    store: Store,
    gateways: Gateways,
) -> Explanation:
    """Return what the sync would do to a user now, with `override` over the settings; nothing is changed."""
    record = store.tenants.get(tenant)
    record = dataclasses.replace(record, tenant=apply_override(record.tenant, override))
    remembered = partial(store.verifications.value_sources, tenant, user)
    keeper = partial(store.shared_organisations.keeper, record.sharing)
    explained = explain(user, record, gateways, remembered, keeper)
    return Explanation(user=user, explained=explained, values=values)
