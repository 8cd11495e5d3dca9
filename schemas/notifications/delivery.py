"""Notifications on their way: what each is about, and what the other side has answered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.notifications.news import Event, NewsKind, restore_problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.reports.remedy import Owner
    from schemas.tenants.tenant_status import Problem

#: How long after each attempt the next one follows; after the last one it is given up: in three days.
BACKOFF: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440))

#: After so long the process that has taken a delivery up is taken for dead.
LEASE: Final = dt.timedelta(minutes=10)


class Channel(StrEnum):
    """How a notification is delivered."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    SENT = "sent"
    #: It was refused for good, or given up.
    FAILED = "failed"
    #: The receiver is no longer wanted.
    DROPPED = "dropped"


class AnswerKind(StrEnum):
    """What the other side has answered, or why there is no answer."""

    ACCEPTED = "accepted"
    #: It answered that it does not take it; `code` says with what.
    REFUSED = "refused"
    NO_CONNECTION = "no_connection"
    NO_TLS = "no_tls"
    TIMEOUT = "timeout"
    #: The mail server does not accept our user and password.
    SIGN_IN_REFUSED = "sign_in_refused"
    #: The webhook's address is one that must not be asked: within a network, or not https.
    ADDRESS_REFUSED = "address_refused"
    #: There is no mail server, no receiver, or no secret.
    NOT_SET_UP = "not_set_up"


class Refusal(StrEnum):
    """What a refusal means."""

    PLAIN = "plain"
    #: Of mail: 4xx is for now, and 5xx for good (RFC 5321 section 4.2.1).
    NOT_NOW = "not_now"
    FOR_GOOD = "for_good"
    #: Of a webhook: it leads to another address, or says that it is gone.
    ELSEWHERE = "elsewhere"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer with its SMTP or HTTP `code`, if it has one; `is_final` says that to try again is no use.

    The text that came with it is not kept: it may name an address.
    """

    kind: AnswerKind
    code: int | None = None
    is_final: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether it was delivered."""
        return self.kind is AnswerKind.ACCEPTED

    def as_text(self) -> str:
        """Return it as it is stored: a word, and a code."""
        return str(self.kind) if self.code is None else f"{self.kind} {self.code}"

    @classmethod
    def from_text(cls, text: str) -> Answer:
        """Return what `as_text` has written."""
        kind, _, code = text.partition(" ")
        return cls(kind=AnswerKind(kind), code=int(code) if code else None)


#: The first code of mail that is for good, the webhooks' redirects, and the code of one that is gone.
_FOR_GOOD: Final = 500
_REDIRECTS: Final = range(300, 400)
_GONE: Final = 410


def refusal_of(answer: Answer, channel: Channel | None) -> Refusal:
    """Return what a refusal means by its code."""
    if answer.code is None:
        return Refusal.PLAIN
    if channel is Channel.MAIL:
        return Refusal.FOR_GOOD if answer.code >= _FOR_GOOD else Refusal.NOT_NOW
    if answer.code in _REDIRECTS:
        return Refusal.ELSEWHERE
    return Refusal.GONE if answer.code == _GONE else Refusal.PLAIN


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A notification to an audience about a tenant, if it is about one; `uid` tells it from all others.

    A repair list has the `owner` who must act, and how many `users` it has.
    """

    uid: str
    audience: str
    event: Event
    created: dt.datetime
    tenant: str | None = None
    tenant_name: str = ""
    kind: NewsKind | None = None
    problems: tuple[Problem, ...] = ()
    owner: Owner | None = None
    users: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a webhook's `data`, but for the link."""
        return {
            "tenant": self.tenant,
            "kind": self.kind and str(self.kind),
            "problems": [each.as_json() for each in self.problems],
        }


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivery of a notification by a channel; of mail to one `recipient`.

    `attempts` have been made, this one included. `answer` is the last one; `at` is when it came, or when the
    next attempt is due (aware).
    """

    id: int
    notification: Notification
    channel: Channel
    status: DeliveryStatus
    attempts: int
    at: dt.datetime
    recipient: str | None = None
    answer: Answer | None = None


def next_attempt(attempts: int, now: dt.datetime) -> dt.datetime | None:
    """Return when the next attempt follows after so many; None if it is given up."""
    return now + BACKOFF[attempts - 1] if attempts <= len(BACKOFF) else None


def restore_notification(facts: Mapping[str, Any], **fields: Any) -> Notification:
    """Return a notification with the facts that are stored of it."""
    return Notification(
        problems=restore_problems(facts.get("problems", ())),
        users=facts.get("users"),
        **fields,
    )
