"""What happened and what to do, for people who read it in a browser: pages and people, no commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import g
from flask_babel import lazy_gettext as _

from hub.presentation.details import page_detail
from hub.presentation.page_advice import (
    ADVICE,
    ADVICE_FOR_ONE,
    GIVE_EACH_ITS_OWN,
    SOURCE_ADVICE,
    UNDO_ADVICE,
)
from schemas.dead_letter_reasons import Reason
from schemas.hub.member import Role
from schemas.reports.dead_letter_remedies import SOURCE_REMEDIES
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Owner

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString

    from schemas.outcomes import Cause
    from schemas.reports.remedy import Language
    from schemas.runs.run import WarningKind

_OPERATORS_ACT: Final = _("Skolon's operators see to this. You need do nothing.")


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What happened, what to do, and who must act; `for_operators` is what an operator does by commands.

    `to_do_for_one` is what to do about one user, where the detail of that user stands beside it.
    `shows_detail` says whether the detail is for the reader: that of what operators mend is for them alone.
    """

    what_happened: LazyString
    what_to_do: LazyString
    to_do_for_one: LazyString
    owner: Owner
    for_operators: str | None
    shows_detail: bool
    language: Language

    def detail_text(self, detail: str | None) -> str:
        """Return a detail in the page's language, and nothing if it is not for the reader."""
        return page_detail(detail, self.language) if detail and self.shows_detail else ""

    @property
    def is_readers_turn(self) -> bool:
        """Whether it is for the reader, or the reader's organisation, to act."""
        return (self.owner is Owner.OPERATOR) == _reads_as_operator()


def advice_on(
    what: Reason | Cause | WarningKind,
    language: Language,
    *,
    owner: Owner | None = None,
    of_undo: bool = False,
) -> Advice:
    """Return the advice on a failure, a halt or a warning, as the member who reads the page needs it.

    `owner` is who must act on a failure, as `administration.remedies.FailureOwners` knows. `of_undo` says
    that a halted run is an undo.
    """
    remedy = remedy_for(what, owner=owner, of_undo=of_undo)
    is_of_sources = isinstance(what, Reason) and remedy is SOURCE_REMEDIES.get(what)
    happened, to_do = SOURCE_ADVICE[what] if is_of_sources else ADVICE[what]
    if of_undo:
        happened, to_do = UNDO_ADVICE.get(what, (happened, to_do))
    reads_as_operator = _reads_as_operator()
    what_to_do = _OPERATORS_ACT if to_do is None else to_do
    for_one = what_to_do
    if isinstance(what, Reason) and not is_of_sources:
        for_one = ADVICE_FOR_ONE.get(what, what_to_do)
    if what is Reason.VALUE_TAKEN and owner is Owner.ENTRA:
        for_one = GIVE_EACH_ITS_OWN
    return Advice(
        what_happened=happened,
        what_to_do=what_to_do,
        to_do_for_one=for_one,
        owner=owner or remedy.owner,
        for_operators=remedy.texts[language].fix if reads_as_operator else None,
        shows_detail=reads_as_operator or remedy.owner is not Owner.OPERATOR,
        language=language,
    )


def _reads_as_operator() -> bool:
    member = g.get("member")
    return member is not None and member.role is Role.OPERATOR
