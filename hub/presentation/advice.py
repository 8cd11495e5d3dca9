"""What happened and what to do, for people who read it in a browser: pages and people, no commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import g
from flask_babel import lazy_gettext as _

from hub.presentation.details import page_detail
from hub.presentation.page_advice import ADVICE
from schemas.dead_letter_reasons import Reason
from schemas.hub.member import Role
from schemas.reports.remedies import owner_of, remedy_for
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

    `shows_detail` says whether the detail is for the reader: that of what operators mend is for them alone.
    """

    what_happened: LazyString
    what_to_do: LazyString
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
    what: Reason | Cause | WarningKind, language: Language, *, is_held_in_entra: bool = False
) -> Advice:
    """Return the advice on a failure, a halt or a warning, as the member who reads the page needs it.

    `is_held_in_entra` is as in `schemas.reports.remedies.owner_of`.
    """
    happened, to_do = ADVICE[what]
    remedy = remedy_for(what)
    reads_as_operator = _reads_as_operator()
    return Advice(
        what_happened=happened,
        what_to_do=_OPERATORS_ACT if to_do is None else to_do,
        owner=owner_of(what, is_held_in_entra=is_held_in_entra) if isinstance(what, Reason) else remedy.owner,
        for_operators=remedy.texts[language].fix if reads_as_operator else None,
        shows_detail=reads_as_operator or remedy.owner is not Owner.OPERATOR,
        language=language,
    )


def _reads_as_operator() -> bool:
    member = g.get("member")
    return member is not None and member.role is Role.OPERATOR
