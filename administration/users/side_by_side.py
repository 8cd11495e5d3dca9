"""Entra, the rule and Skolon side by side, for each attribute of a user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from administration.users.candidates import values_in
from administration.users.redaction import diff_hint, shown_value
from schemas.runs.changes import IDENTITY_ATTRIBUTES, change_kind
from schemas.users.attributes import Attribute, values_match
from workers.pipeline import steps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from administration.users.current import CurrentState
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import ResolvedSource


class Agreement(StrEnum):
    """How the two sides of an attribute stand to each other."""

    SAME = "same"
    #: A run that reads the user fills, changes or erases the value in Skolon.
    FILLED = "filled"
    CHANGED = "changed"
    ERASED = "erased"
    #: It is blank in Entra, and Skolon's value is kept.
    KEPT = "kept"
    #: The sides differ, and a run would not write it: a rule, another user or a decision stands against it.
    NOT_WRITTEN = "not_written"
    #: No source is set, Entra does not give it, or Skolon's server does not have it.
    NOT_SYNCED = "not_synced"
    #: There is no Skolon user to compare with.
    ALONE = "alone"


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """One attribute: both values as they may be shown, None for blank, and the source that chose Entra's.

    `hint` says how two masked values differ. `identity` attributes lock a user out when they are wrong.
    """

    attribute: Attribute
    entra: str | None
    rule: str | None
    skolon: str | None
    agreement: Agreement
    hint: str | None
    identity: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All attributes beside those of one Skolon user, None if there is none.

    `is_match` says that the sync takes it for the same person; else it is one that a failed match found.
    """

    skolon_user: str | None
    is_match: bool
    rows: tuple[AttributeRow, ...]


def side_by_side(state: CurrentState) -> list[Comparison]:
    """Return a user beside the matched Skolon user, or beside each that may be the user; empty if unread.

    Values are masked unless the state was asked for with values.
    """
    taken = state.explanation.explained.steps
    mapped = next((step for step in taken if isinstance(step, steps.MapStep)), None)
    if mapped is None:
        return []
    compared = [step for step in taken if isinstance(step, steps.CompareStep)]
    if compared:
        step = compared[-1]
        rows = tuple(_matched_rows(state, mapped, step))
        return [Comparison(skolon_user=step.user.id, is_match=True, rows=rows)]
    return [
        Comparison(skolon_user=user.id, is_match=False, rows=tuple(_rows(state, mapped, user, {}, ())))
        for user in state.held_back
    ] or [Comparison(skolon_user=None, is_match=False, rows=tuple(_rows(state, mapped, None, {}, ())))]


def _matched_rows(
    state: CurrentState, mapped: steps.MapStep, compared: steps.CompareStep
) -> Iterator[AttributeRow]:
    held = compared.user.attributes
    written = {
        attribute: Agreement(change_kind(held.get(attribute), new))
        for attribute, new in compared.changes.items()
    }
    return _rows(state, mapped, compared.user, written, compared.kept)


def _rows(
    state: CurrentState,
    mapped: steps.MapStep,
    user: SkolonUser | None,
    written: dict[Attribute, Agreement],
    kept: Collection[Attribute],
) -> Iterator[AttributeRow]:
    wanted, values = values_in(state.explanation.explained.steps), state.explanation.values
    for attribute in Attribute:
        source: ResolvedSource | None = mapped.sources.get(attribute)
        entra = wanted.get(attribute)
        skolon = None if user is None else user.attributes.get(attribute)
        if attribute in written:
            agreement = written[attribute]
        elif attribute not in wanted or (user is not None and attribute in user.absent):
            agreement = Agreement.NOT_SYNCED
        elif user is None:
            agreement = Agreement.ALONE
        elif attribute in kept:
            agreement = Agreement.KEPT
        elif values_match(attribute, entra, skolon):
            agreement = Agreement.SAME
        else:
            agreement = Agreement.NOT_WRITTEN
        is_alike = agreement in (Agreement.SAME, Agreement.NOT_SYNCED, Agreement.ALONE)
        yield AttributeRow(
            attribute=attribute,
            entra=shown_value(attribute, entra, values=values),
            rule=None if source is None else source.source,
            skolon=shown_value(attribute, skolon, values=values),
            agreement=agreement,
            hint=None if is_alike else diff_hint(skolon, entra),
            identity=attribute in IDENTITY_ATTRIBUTES,
        )
