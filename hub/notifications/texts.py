"""What is told in words: for mail, and for the list of what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from hub.presentation.problems import describe_problem
from schemas.notifications.news import Event, NewsKind
from schemas.reports.remedy import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask_babel.speaklater import LazyString

    from schemas.notifications.delivery import Notification
    from schemas.reports.remedy import Language

PROBLEMS: Final[Mapping[NewsKind, LazyString]] = {
    NewsKind.RUN_HALTED: _("a run was halted"),
    NewsKind.QUESTION: _("a halted run waits for an answer"),
    NewsKind.USERS_FAILED: _("users could not be updated"),
    NewsKind.SECRET_EXPIRES: _("the client secret expires"),
    NewsKind.NOT_CONFIRMED: _("no user was confirmed as right"),
}

WELL_AGAIN: Final[Mapping[NewsKind, LazyString]] = {
    NewsKind.RUN_HALTED: _("the run is halted no longer"),
    NewsKind.QUESTION: _("the halted run has its answer"),
    NewsKind.USERS_FAILED: _("the users could be updated"),
    NewsKind.SECRET_EXPIRES: _("the client secret is renewed"),
    NewsKind.NOT_CONFIRMED: _("users are confirmed again"),
}

#: The whole sentence behind it.
_WELL_SENTENCES: Final[Mapping[NewsKind, LazyString]] = {
    NewsKind.RUN_HALTED: _(
        "The halted run was continued or cancelled, or a later run of all users was completed. Users that it "
        "did not update are updated by the next run of all users."
    ),
    NewsKind.QUESTION: _(
        "The run that waited for an answer was continued or cancelled. If it was cancelled, the users that "
        "it had not updated are still as they were."
    ),
    NewsKind.USERS_FAILED: _(
        "The users that could not be updated are right now, are set aside, or are so few that you are not "
        "told of them."
    ),
    NewsKind.SECRET_EXPIRES: _("The client secret was renewed, or has a later date."),
    NewsKind.NOT_CONFIRMED: _("A run has found users right again."),
}

_TO_DO: Final[Mapping[NewsKind, LazyString]] = {
    NewsKind.RUN_HALTED: _("Until it is settled, the run changes no further user."),
    NewsKind.QUESTION: _(
        "Look at what it would change, and answer on its page. Until then it changes no further user, and no "
        "other run starts."
    ),
    NewsKind.USERS_FAILED: _("The page Needs attention says for each group whose turn it is and what to do."),
    NewsKind.SECRET_EXPIRES: _(
        "Make a new client secret in Entra, and enter it in the Data Hub before that day. After it no user "
        "can be read."
    ),
    NewsKind.NOT_CONFIRMED: _("Look whether runs are started and completed."),
}

REPAIR_TITLES: Final[Mapping[Owner, LazyString]] = {
    Owner.ENTRA: _("What there is to correct in Entra"),
    Owner.SKOLON: _("What there is to correct in Skolon"),
    Owner.ADMINISTRATOR: _("What there is to decide or set in the Data Hub"),
}

_TEST: Final = _("a test of the notifications")


def subject_of(notification: Notification) -> LazyString | str:
    """Return what a notification is about, in a few words."""
    kind, owner = notification.kind, notification.owner
    match notification.event:
        case Event.PROBLEM if kind is not None:
            return PROBLEMS[kind]
        case Event.WELL_AGAIN if kind is not None:
            return gettext("Well again: %(what)s", what=WELL_AGAIN[kind])
        case Event.REPAIR_LIST if owner is not None:
            return REPAIR_TITLES[owner]
        case _:
            return _TEST


def what_happened(notification: Notification, language: Language) -> Iterator[str]:
    """Yield what is wrong, in the words of the pages, or that it is well again."""
    kind = notification.kind
    if notification.event is Event.WELL_AGAIN and kind is not None:
        yield str(_WELL_SENTENCES[kind])
    elif notification.event is Event.PROBLEM:
        for problem in notification.problems:
            yield describe_problem(problem, language)
    else:
        yield str(gettext("This is a test: notifications arrive here."))


def already_changed(users: int) -> str:
    """Return how many users a run had changed before it was halted."""
    if not users:
        return str(gettext("It had changed no user before that."))
    return str(
        ngettext(
            "It had changed %(num)d user before that.", "It had changed %(num)d users before that.", users
        )
    )


def what_to_do(notification: Notification) -> str:
    """Return what there is to do about a problem; nothing about what is well again."""
    kind = notification.kind
    return str(_TO_DO[kind]) if notification.event is Event.PROBLEM and kind is not None else ""
