"""Settings of notifications, and what came of the last ones, as commands print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.output import echo, print_fields, print_table
from schemas.notifications.delivery import AnswerKind, Channel, Refusal, refusal_of
from schemas.notifications.settings import REPAIR_OWNERS
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.notifications.delivery import Answer, Delivery
    from schemas.notifications.settings import SavedSettings

_ANSWERS: Final[Mapping[AnswerKind, str]] = {
    AnswerKind.ACCEPTED: "accepted",
    AnswerKind.REFUSED: "refused",
    AnswerKind.NO_CONNECTION: "could not be reached",
    AnswerKind.NO_TLS: "no encrypted connection could be made",
    AnswerKind.TIMEOUT: "did not answer in time",
    AnswerKind.SIGN_IN_REFUSED: "the mail server refused the user or password of UPDATE_SYNC_SMTP_URL",
    AnswerKind.ADDRESS_REFUSED: "not sent: the address is not public or not https",
    AnswerKind.NOT_SET_UP: "not sent: UPDATE_SYNC_SMTP_URL is not set",
}


#: What a refusal means, behind the word.
_REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.PLAIN: "",
    Refusal.NOT_NOW: " for now",
    Refusal.FOR_GOOD: " for good",
    Refusal.ELSEWHERE: ": it leads to another address, and redirects are not followed",
    Refusal.GONE: ": it is gone for good",
}

_UNSIGNED: Final = "not sent: it has no secret, which 'notifications set --new-secret' makes"


def answer_text(answer: Answer, channel: Channel) -> str:
    """Return what an answer means, with its code."""
    if answer.kind is AnswerKind.NOT_SET_UP and channel is Channel.WEBHOOK:
        return _UNSIGNED
    text = _ANSWERS[answer.kind]
    if answer.kind is AnswerKind.REFUSED:
        text += _REFUSALS[refusal_of(answer, channel)]
    return text if answer.code is None else f"{text} ({answer.code})"


def print_settings(saved: SavedSettings, last: Sequence[Delivery], *, has_mail_server: bool) -> None:
    """Print the settings, and a table of the last deliveries."""
    settings = saved.settings
    quiet = "" if settings.quiet_from is None else f"{settings.quiet_from} to {settings.quiet_to}"
    secret = "no secret yet: not sent" if saved.secret_set is None else "signed"
    fields: dict[str, object] = {
        "mail to": ", ".join(settings.recipients) or "none",
        "webhook": "none" if settings.webhook_url is None else f"{settings.webhook_url} ({secret})",
        "more failed users than": settings.most_failed,
        "days without a confirmed user": settings.unconfirmed_days or "not told",
        "quiet hours": quiet or "none",
        "language": settings.language,
        "repair lists": settings.repair_day or "not sent",
    }
    for owner in REPAIR_OWNERS:
        if found := settings.repair_recipients.get(owner):
            fields[f"repair list, {owner}"] = ", ".join(found)
    print_fields(fields)
    if settings.addresses and not has_mail_server:
        echo("No mail is sent from here: UPDATE_SYNC_SMTP_URL is not set.")
    if not last:
        return
    echo()
    rows = [
        (
            each.id,
            timestamp(each.notification.created),
            each.notification.tenant or "",
            f"{each.notification.event} {each.notification.kind or each.notification.owner or ''}".strip(),
            each.channel,
            each.recipient or "",
            each.status,
            each.attempts,
            each.answer and answer_text(each.answer, each.channel),
        )
        for each in last
    ]
    print_table(
        ("number", "told", "tenant", "what", "channel", "receiver", "status", "attempts", "answer"), rows
    )


def deliveries_json(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Return deliveries for programs."""
    return [
        {
            "delivery": str(each.id),
            "created": timestamp(each.notification.created),
            "tenant": each.notification.tenant,
            "event": str(each.notification.event),
            "kind": each.notification.kind and str(each.notification.kind),
            "owner": each.notification.owner and str(each.notification.owner),
            "channel": str(each.channel),
            "recipient": each.recipient,
            "status": str(each.status),
            "attempts": each.attempts,
            "answer": each.answer and each.answer.as_text(),
            "at": timestamp(each.at),
        }
        for each in deliveries
    ]
