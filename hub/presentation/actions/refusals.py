"""Why an action was not carried out, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from schemas.hub.action import ActionRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

REFUSALS: Final[Mapping[ActionRefusal, LazyString]] = {
    ActionRefusal.KEY_REUSED: _("Something else was done from this page. Look again, then press once more."),
    ActionRefusal.UNDER_WAY: _("It is being done already. Look again in a moment."),
    ActionRefusal.DISABLED: _("The organisation is switched off, so nothing can be started."),
    ActionRefusal.UNANSWERED: _(
        "A halted run waits for an answer. Until then only a preview can be started."
    ),
    ActionRefusal.GOES_ON: _("The run goes on already: it has had its answer."),
    ActionRefusal.ENDED: _("The run has ended already."),
    ActionRefusal.NEEDS_ANSWER: _("The run asks first. Read what would change, and answer."),
    ActionRefusal.OTHER_SETTINGS: _(
        "The settings were changed since you opened this page. Read it once more."
    ),
    ActionRefusal.CHANGED_MEANWHILE: _(
        "Another person has changed this in the meantime. This is how it is now. Look at it before you go on."
    ),
    ActionRefusal.DECIDED: _(
        "It has been decided already: by the decision below, or by another organisation."
    ),
    ActionRefusal.UNDECIDED: _("There is no such decision any more: it was taken back."),
    ActionRefusal.NO_SUCH_USER: _(
        "Entra or Skolon does not have this user any more. Look at both sides again."
    ),
    ActionRefusal.BELONGS_TO_OTHER: _(
        "By the external id in Skolon, one of the two belongs to another user. If that is wrong, clear the "
        "external id in Skolon first, or leave the other user in Entra alone."
    ),
    ActionRefusal.UNCONFIRMED: _("It does more than one might expect. Read what happens, and confirm it."),
    ActionRefusal.SERVICE_REFUSES: _(
        "Entra or Skolon does not let the sync in just now, so nothing can be decided. See Needs attention."
    ),
    ActionRefusal.OTHER_RUN: _("Another run is going on. Wait until it has ended, or cancel it."),
    ActionRefusal.OTHER_TASK: _(
        "Users of this organisation are being worked on already. Wait until that has ended, or cancel it."
    ),
    ActionRefusal.NOT_ASIDE: _("The group is not set aside any more."),
    ActionRefusal.TASK_ENDED: _("It has ended already."),
    ActionRefusal.NOBODY: _("None of these users fails for this reason any more."),
    ActionRefusal.NOT_ENDED: _("The run is going on. Wait until it has ended, or cancel it first."),
    ActionRefusal.NOTHING_TO_UNDO: _("The run has changed no user, or its former values are no longer kept."),
    ActionRefusal.SWITCHED_ON: _("The sync is switched on. Switch it off before you enter another app."),
    ActionRefusal.NOT_SET_UP: _("The connection to Entra is not set up yet."),
    ActionRefusal.SECRET_REFUSED: _(
        "Microsoft Entra does not accept this secret, so it was not saved. The one in use stays in use."
    ),
    ActionRefusal.ENTRA_AWAY: _(
        "Microsoft Entra does not answer, so the new secret could not be tried and was not saved. "
        "The one in use stays in use. Try again in a minute."
    ),
    ActionRefusal.TOO_MANY: _("There are too many drafts. Discard one that you do not need."),
    ActionRefusal.NOT_APPROVED: _("A second person has to approve this change first."),
    ActionRefusal.OWN_DRAFT: _(
        "You, or a program of yours, worked on this draft, so another person has to approve it."
    ),
    ActionRefusal.OWN_GUEST: _(
        "Who worked on this draft has given you access, or changed it, within the last 24 hours. Until these "
        "are over another person has to approve it."
    ),
    ActionRefusal.NO_MATCH_KEY: _(
        "With this mapping no user would be found in Skolon: none of the attributes by which users are found "
        "would have a source."
    ),
    ActionRefusal.NO_WEBHOOK: _("There is no webhook. Save its address first."),
    ActionRefusal.TOO_MANY_TESTS: _(
        "No test was sent: there were three in the last ten minutes. Wait a little."
    ),
}
