"""The advice of the pages by what it is about; `schemas/reports/` has that of the command line."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

#: What happened, and what to do; None if it is for Skolon's operators alone.
ADVICE: Final[Mapping[Reason | Cause | WarningKind, tuple[LazyString, LazyString | None]]] = MappingProxyType(
    {
        Reason.INVALID_USER: (
            _(
                "A value in Entra breaks a rule of Skolon's. It is not written, but holds back none of the user's other values."
            ),
            _(
                "Correct the value in Entra; which one it is stands with each user. The next run takes it over by itself."
            ),
        ),
        Reason.AMBIGUOUS_MATCH: (
            _("Several users in Skolon have the value by which the user is looked up. Nothing was changed."),
            _(
                "Merge or correct these users in Skolon; their ids stand with each user. Or decide on the page Uncertain matches which of them it is."
            ),
        ),
        Reason.SUSPICIOUS_MATCH: (
            _("The user that was found in Skolon may be another person. Nothing was changed."),
            _(
                "Compare the two on the page Uncertain matches, and decide there whether they are the same person. "
                "If they are two people, give one of them another address."
            ),
        ),
        Reason.COLLISION: (
            _("Two users in Entra lead to the same user in Skolon. The first one has kept it."),
            _(
                "Give them different EPPNs, user names and e-mail addresses in Entra. Or decide on the page Uncertain "
                "matches which of them is the right one."
            ),
        ),
        Reason.VALUE_TAKEN: (
            _(
                "Another user in Skolon has a value that the user should get. It is not written, but holds back none of the user's other values."
            ),
            _(
                "If a user in Entra is named with the value too, give each of the two a value of their own in Entra. Otherwise correct the other user in Skolon."
            ),
        ),
        Reason.UNDO_FAILED: (
            _("A run could not be undone completely for the user. Nothing is written until it is decided."),
            _("Decide on the page Uncertain matches which user in Skolon this user is, or that it is none."),
        ),
        Reason.REJECTED_BY_SKOLON: (
            _(
                "Skolon refused a value, or the whole change. Other values were written where Skolon took them."
            ),
            _(
                "Which value it is, and what Skolon answered, stands with each user. Correct it in Entra, or ask Skolon for the cause."
            ),
        ),
        Reason.CONFLICT: (
            _("Another system changed the user in Skolon each time the sync was about to update it."),
            _(
                "Find out which other system writes to your users in Skolon. The next run tries again by itself."
            ),
        ),
        Reason.GAVE_UP: (_("A system that was needed was away for too long."), None),
        Reason.CRASHED_WORKER: (_("The sync broke down each time it worked on the user."), None),
        Reason.UNDECODABLE: (_("A message within the sync cannot be read."), None),
        Reason.INVALID_TRIGGER: (_("A request for a run was not filled in correctly."), None),
        Reason.UNKNOWN_TENANT: (_("A request for a run named an organisation that is not there."), None),
        Reason.GUARD_UNANSWERED: (
            _("A run that the guard has halted waits for an answer, so no new run was started."),
            _(
                "Open the halted run and see what it would change. Then an organisation administrator answers there."
            ),
        ),
        Reason.FORGED_MESSAGE: (
            _("A message was not made by the sync. Nothing was done because of it."),
            None,
        ),
        Reason.BUG: (_("Something happened that the sync is not prepared for."), None),
        Cause.ENTRA_CREDENTIALS: (
            _("Entra did not let the sync sign in, so no user could be read."),
            _(
                "Check the Directory id, the Client Id and the client secret in Entra. Give Skolon's operators what "
                "is new: of a secret its Value, and not the Secret ID."
            ),
        ),
        Cause.ENTRA_PERMISSION: (
            _("The app may not read users in Entra."),
            _(
                "Give the app the permission User.Read.All (of the type Application) and admin consent in Entra. "
                "Then let the run go on."
            ),
        ),
        Cause.SKOLON_CREDENTIALS: (_("Skolon did not let the sync sign in."), None),
        Cause.SKOLON_PERMISSION: (
            _("The sync may not read or change your users in Skolon."),
            _("Ask Skolon to give the sync the right to your organisation."),
        ),
        Cause.SKOLON_SEARCH: (_("Skolon's search gave answers that cannot be relied on."), None),
        Cause.SKOLON_UPDATE: (_("Skolon takes no changes at the moment."), None),
        Cause.GRAPH_QUERY: (_("Microsoft Graph refused the question for users."), None),
        Cause.PAGE_LOOP: (
            _("Microsoft Graph's list of users does not end."),
            _("Let the run go on later. If it happens again, ask Microsoft's support."),
        ),
        Cause.PAGE_TOKEN: (
            _("Microsoft Graph lost its place in the list of users again and again."),
            _("Let the run go on later, when Entra is changed less."),
        ),
        Cause.SUSPICIOUS_LIST: (
            _(
                "Entra's list was empty, or Skolon has far fewer of your users than in the last run of all users."
            ),
            _(
                "Is that as it should be? Then let the run go on. If not, cancel it and ask Skolon's operators."
            ),
        ),
        Cause.MISSING_KEY: (_("A stored value cannot be read."), None),
        Cause.GUARD_EXCEEDED: (
            _(
                "The run would change, leave out or fail for more users than your limit allows, so it asks first."
            ),
            _(
                "See what it would do. If it is right, let the run go on. If it is wrong, correct it in Entra or ask "
                "Skolon's operators to correct the settings, and cancel the run."
            ),
        ),
        Cause.GAVE_UP: (_("Microsoft Graph could not be read for too long."), None),
        Cause.BUG: (_("Something happened while users were read that the sync is not prepared for."), None),
        WarningKind.COUNT_DIFFERS: (
            _("Microsoft Graph counts another number of users than its list had."),
            _("If the next run of all users says so again, ask Microsoft's support about the list."),
        ),
        WarningKind.BIRTHDAYS_REFUSED: (
            _("Microsoft Graph gives no birthdays. Birth dates in Skolon stay as they are."),
            _("Let the app read birthdays in Entra, or ask Skolon's operators to switch birthdays off."),
        ),
        WarningKind.IDENTITY_KEPT: (
            _("An address is blank in Entra now. Skolon keeps the one from before."),
            _("Fill it in again in Entra, or ask Skolon's operators to let the next source replace it."),
        ),
        WarningKind.NO_VALUES: (
            _(
                "Most users have no value in Entra for something that is to be kept up to date. Skolon's values stay as they are, and are not checked."
            ),
            _(
                "A source in the attribute mapping is probably wrong. Compare it with the one before, and try a draft of another one."
            ),
        ),
        WarningKind.VALUES_ALTERED: (
            _("Skolon shows a value in another form than it was written in."),
            _("Ask Skolon in which form the value is wanted, and correct it in Entra."),
        ),
        WarningKind.MESSAGES_LOST: (
            _("Messages within the sync were lost. It has sent them again, and no user is left out."),
            None,
        ),
        WarningKind.PAGE_LOST: (
            _("A message within the sync was lost. It reads Entra's list again from the beginning."),
            None,
        ),
    }
)

#: By the reason: if so many users fail for it that the settings are at fault.
SOURCE_ADVICE: Final[Mapping[Reason | Cause | WarningKind, tuple[LazyString, LazyString | None]]] = (
    MappingProxyType(
        {
            Reason.INVALID_USER: (
                _(
                    "Most users have a value that breaks a rule. Probably the sync takes it from the wrong place in Entra. "
                    "The other values were written."
                ),
                _(
                    "See on the page Settings where the value comes from, and tell Skolon's operators where it should "
                    "come from."
                ),
            ),
        }
    )
)

#: What is different for the halt of an undo.
UNDO_ADVICE: Final[Mapping[Reason | Cause | WarningKind, tuple[LazyString, LazyString | None]]] = (
    MappingProxyType(
        {
            Cause.GUARD_EXCEEDED: (
                _(
                    "To undo the run would change more users, or fail for more, than your limit allows, so it asks "
                    "first."
                ),
                _("See what it would do. If it is right, let it go on. If it is wrong, cancel it."),
            ),
            Cause.GAVE_UP: (_("The sync could not go on with undoing the run for too long."), None),
            Cause.BUG: (
                _("Something happened while the run was undone that the sync is not prepared for."),
                None,
            ),
        }
    )
)

#: What to do about one user, whose detail stands beside it: `ADVICE` leads from a group to its users.
ADVICE_FOR_ONE: Final[Mapping[Reason, LazyString]] = MappingProxyType(
    {
        Reason.INVALID_USER: _("Correct this value in Entra. The next run takes it over by itself."),
        Reason.AMBIGUOUS_MATCH: _(
            "Merge or correct these users in Skolon. Or decide on the page Uncertain matches which of them it is."
        ),
        Reason.VALUE_TAKEN: _("Correct the other user in Skolon, or give this user another value in Entra."),
        Reason.REJECTED_BY_SKOLON: _("Correct the value in Entra, or ask Skolon for the cause."),
    }
)

#: The same where another user in Entra has the value.
GIVE_EACH_ITS_OWN: Final = _("Give each of these users a value of their own in Entra.")
