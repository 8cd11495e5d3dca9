"""What to do so that users can sign in by QR code, by how their values in Skolon compare with Entra's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _
from flask_babel import ngettext

from hub.presentation.words import OUTCOMES, REASONS
from schemas.dead_letter_reasons import Reason
from schemas.reports.remedy import Owner
from schemas.runs.sign_in import ValueMatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from schemas.reports.sign_in import SignInFindings

#: What to do, and who must act.
Advice = tuple["LazyString", Owner]

_NOT_WRITTEN: Final[Advice] = (
    _("The page of each user says where Skolon's value comes from, or why it is not written."),
    Owner.ADMINISTRATOR,
)

ON_EMAIL: Final[Mapping[ValueMatch, Advice]] = {
    ValueMatch.CASE_DIFFERS: (
        _("The sync leaves that as it is: write it in Skolon as it is in Entra."),
        Owner.SKOLON,
    ),
    ValueMatch.DIFFERENT: _NOT_WRITTEN,
    ValueMatch.BLANK_IN_ENTRA: (_("Fill in the field mail in Entra."), Owner.ENTRA),
}

_FILL_IN: Final[Advice] = (
    _(
        "The field is filled from your own directory. For users that were made in Entra itself, it has to be "
        "filled in there."
    ),
    Owner.ENTRA,
)

#: Where the Idp identifier comes from the property that sign-in by QR code needs, and where it does not.
ON_IDP_IDENTIFIER: Final[Mapping[ValueMatch, Advice]] = {
    ValueMatch.CASE_DIFFERS: _NOT_WRITTEN,
    ValueMatch.DIFFERENT: _NOT_WRITTEN,
    ValueMatch.BLANK_IN_ENTRA: _FILL_IN,
}
ON_OTHER_IDP_IDENTIFIER: Final[Mapping[ValueMatch, Advice]] = {ValueMatch.BLANK_IN_ENTRA: _FILL_IN}


def not_judged_text(found: SignInFindings) -> str:
    """Return how many users were not compared and why; blank if all were."""
    total = sum(found.not_judged.values())
    if not total:
        return ""
    text = ngettext("%(num)d user was not compared", "%(num)d users were not compared", total)
    reasons = (
        f"{REASONS[each] if isinstance(each, Reason) else OUTCOMES[each]}: {users}"
        for each, users in sorted(found.not_judged.items())
    )
    return f"{text} ({', '.join(reasons)})."
