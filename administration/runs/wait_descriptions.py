"""What a run waits for, in words."""

from __future__ import annotations

import datetime as dt
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.errors import Dependency, FailureKind
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.waits import Waiting

_SERVICES: Final[Mapping[Dependency | None, Template]] = {
    None: Template(
        "en annan körning, eller på en annan användare som ska lämna ifrån sig ett värde",
        "another run, or another user that gives up a value",
    ),
    Dependency.ENTRA: Template("Entra", "Entra"),
    Dependency.GRAPH: Template("Microsoft Graph", "Microsoft Graph"),
    Dependency.SKOLON: Template("Skolon", "Skolon"),
    Dependency.DATABASE: Template("databasen", "the database"),
    Dependency.BROKER: Template("RabbitMQ", "RabbitMQ"),
    Dependency.MACHINE: Template("lediga öppna filer på arbetsdatorn", "open files on the worker's machine"),
}

_KINDS: Final[Mapping[FailureKind, Template]] = {
    FailureKind.NO_CONNECTION: Template("ingen anslutning", "no connection"),
    FailureKind.TIMEOUT: Template("inget svar i tid", "no answer in time"),
    FailureKind.TLS: Template(
        "TLS misslyckades (är certifikatet betrott?)", "TLS failed (is the certificate trusted?)"
    ),
    FailureKind.UNREADABLE: Template("ett svar som inte går att tolka", "an answer that makes no sense"),
    FailureKind.REFUSED: Template("avvisat tills vidare", "refused for now"),
}

_USERS_WAIT: Final = Template("{users:# användare|# användare} väntar", "{users:# user waits|# users wait}")
_PAGE_WAITS: Final = Template("nästa sida väntar", "the next page waits")
_PAGE_AND_USERS_WAIT: Final = Template(
    "nästa sida och {users:# användare|# användare} väntar", "the next page and {users:# user|# users} wait"
)
_WAITING: Final = Template("{who} på {service} sedan {since}", "{who} for {service} since {since}")
_ANSWERED: Final = Template("senaste svar {answer}", "last answer {answer}")
_NEXT_TRY: Final = Template("nästa försök om {seconds} s", "next try in {seconds} s")
_NEXT_TRY_NOW: Final = Template("nästa försök nu", "next try now")
_THROTTLED: Final = Template("HTTP {status} (för många anrop)", "HTTP {status} (throttled)")
_STATUS: Final = Template("HTTP {status}", "HTTP {status}")
_STATUS_BUT: Final = Template("{status}, men {kind}", "{status}, but {kind}")

#: Within so long the time of day alone is clear.
_TODAY: Final = dt.timedelta(hours=12)


def describe_waiting(waiting: Waiting, now: dt.datetime) -> dict[Language, str]:
    """Return who waits for what, since when, the last answer and the next try; `now` is aware."""
    who, service = _who(waiting), texts_from(_SERVICES[waiting.service])
    answers = last_answers(waiting)
    left = math.ceil((waiting.next_try - now).total_seconds())
    next_try = texts_from(_NEXT_TRY, seconds=left) if left > 0 else texts_from(_NEXT_TRY_NOW)
    found = {}
    for language in Language:
        facts = {
            "who": who[language],
            "service": service[language],
            "since": _since(waiting.since, now),
        }
        parts = [texts_from(_WAITING, **facts)[language]]
        if answers is not None:
            parts.append(texts_from(_ANSWERED, answer=answers[language])[language])
        found[language] = ", ".join([*parts, next_try[language]])
    return found


def service_names(service: Dependency) -> dict[Language, str]:
    """Return what a service is called within a sentence, in each language."""
    return texts_from(_SERVICES[service])


def last_answer(waiting: Waiting) -> str | None:
    """Return the last response in English, None if there was no request so far."""
    answers = last_answers(waiting)
    return None if answers is None else answers[Language.ENGLISH]


def last_answers(waiting: Waiting) -> dict[Language, str] | None:
    """Return the last response in each language, None if there was no request so far."""
    status = kind = None
    if waiting.last_status is not None:
        throttled = waiting.last_status == HTTPStatus.TOO_MANY_REQUESTS
        status = texts_from(_THROTTLED if throttled else _STATUS, status=waiting.last_status)
    if waiting.last_kind is not None:
        kind = texts_from(_KINDS[waiting.last_kind])
    if status is None or kind is None:
        return status or kind
    return {
        language: texts_from(_STATUS_BUT, status=status[language], kind=kind[language])[language]
        for language in Language
    }


def _who(waiting: Waiting) -> dict[Language, str]:
    if not waiting.page:
        return texts_from(_USERS_WAIT, users=waiting.users)
    return texts_from(_PAGE_AND_USERS_WAIT if waiting.users else _PAGE_WAITS, users=waiting.users)


def _since(moment: dt.datetime, now: dt.datetime) -> str:
    return f"{moment:%H:%M} UTC" if now - moment < _TODAY else f"{moment:%Y-%m-%d %H:%M} UTC"
