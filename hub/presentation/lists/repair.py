"""The repair list as rows: ids, causes and what to do, and no values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from hub.presentation.advice import advice_on
from hub.presentation.times import zoned
from hub.presentation.words import OWNERS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from administration.notifications.repair_list import RepairEntry
    from schemas.reports.remedy import Language

HEADINGS: Final = (
    _("Entra id"),
    _("Why"),
    _("What is wrong"),
    _("What to do"),
    _("Who must act"),
    _("Since"),
    _("Run"),
)


def repair_rows(entries: Iterable[RepairEntry], language: Language) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a list, in the language of the pages."""
    for each in entries:
        failure = each.failure
        advice = advice_on(failure.reason, language, owner=each.owner)
        yield (
            failure.entra_id,
            REASONS[failure.reason],
            advice.detail_text(failure.detail),
            advice.to_do_for_one,
            OWNERS[each.owner],
            zoned(failure.since),
            failure.run,
        )
