"""What became of notifications, and what is wrong with settings, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from schemas.notifications.delivery import Answer, AnswerKind, Channel, DeliveryStatus, Refusal, refusal_of
from schemas.notifications.settings import SettingFault, Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

CHANNELS: Final[Mapping[Channel, LazyString]] = {
    Channel.MAIL: _("Mail"),
    Channel.WEBHOOK: _("Webhook"),
}

#: What sends a test.
TEST_BUTTONS: Final[Mapping[Channel, LazyString]] = {
    Channel.MAIL: _("Send a test by mail"),
    Channel.WEBHOOK: _("Send a test to the webhook"),
}

STATUSES: Final[Mapping[DeliveryStatus, tuple[LazyString, str]]] = {
    DeliveryStatus.WAITING: (_("Is tried again"), "warning"),
    DeliveryStatus.SENT: (_("Sent"), "success"),
    DeliveryStatus.FAILED: (_("Not delivered"), "danger"),
    DeliveryStatus.DROPPED: (_("Not wanted any more"), "neutral"),
}

_ANSWERS: Final[Mapping[AnswerKind, LazyString | str]] = {
    AnswerKind.ACCEPTED: _("It was accepted."),
    AnswerKind.REFUSED: "",
    AnswerKind.NO_CONNECTION: _("The receiver could not be reached."),
    AnswerKind.NO_TLS: _("No encrypted connection to the receiver could be made."),
    AnswerKind.TIMEOUT: _("The receiver did not answer in time."),
    AnswerKind.SIGN_IN_REFUSED: _(
        "The mail server does not let the Data Hub in. Skolon's operators see to that."
    ),
    AnswerKind.ADDRESS_REFUSED: _(
        "It was not sent: the address must begin with https:// and be one that the whole internet can reach."
    ),
    AnswerKind.NOT_SET_UP: _(
        "It was not sent: Skolon's operators have set up no mail server yet, or the receiver was taken out."
    ),
}

_REFUSALS: Final[Mapping[Refusal, LazyString]] = {
    Refusal.PLAIN: _("The receiver refused it."),
    Refusal.NOT_NOW: _("The mail server does not take it just now. That is often over after a while."),
    Refusal.FOR_GOOD: _("The mail server refused it for good. See whether the address is right."),
    Refusal.ELSEWHERE: _(
        "The receiver's address leads to another one (a redirect), and that is not followed. Save the "
        "address that takes it."
    ),
    Refusal.GONE: _("The receiver says that it is gone for good. Save another address."),
}

FAULTS: Final[Mapping[SettingFault, LazyString]] = {
    SettingFault.NOT_AN_ADDRESS: _("Write one e-mail address on each line, without names."),
    SettingFault.TOO_MANY: _("Write at most 20 addresses."),
    SettingFault.NOT_A_URL: _("Write an address that begins with https://, without a user name."),
    SettingFault.NOT_HTTPS: _("Write an address that begins with https://."),
    SettingFault.NOT_PUBLIC: _(
        "Write an address that begins with https:// and that the whole internet can reach."
    ),
    SettingFault.NOT_A_NUMBER: _("Write a whole number."),
    SettingFault.NOT_A_TIME: _("Write two different times, such as 22:00 and 06:30, or none."),
    SettingFault.NO_SUCH_WORD: _("Choose one of these."),
}

WEEKDAYS: Final[Mapping[Weekday, LazyString]] = {
    Weekday.MONDAY: _("Mondays"),
    Weekday.TUESDAY: _("Tuesdays"),
    Weekday.WEDNESDAY: _("Wednesdays"),
    Weekday.THURSDAY: _("Thursdays"),
    Weekday.FRIDAY: _("Fridays"),
    Weekday.SATURDAY: _("Saturdays"),
    Weekday.SUNDAY: _("Sundays"),
}


def answer_text(answer: Answer | None, channel: Channel | None) -> str:
    """Return what was answered, with its code; nothing if there was no attempt yet."""
    if answer is None:
        return ""
    text = str(_ANSWERS[answer.kind])
    if answer.kind is AnswerKind.REFUSED:
        text = str(_REFUSALS[refusal_of(answer, channel)])
    if answer.kind is AnswerKind.NOT_SET_UP and channel is Channel.WEBHOOK:
        text = str(gettext("It was not sent: it has no secret yet. Make one."))
    if answer.code is None:
        return text
    code = gettext("code %(code)s", code=answer.code)
    return f"{text} ({code})"
