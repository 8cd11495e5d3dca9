"""Why a message failed: how often, since when, and what came of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.kinds import DetailKind
from schemas.details.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILURE_TEXTS: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        DetailKind.TEXT: Template("{text}", "{text}"),
        DetailKind.SEVERAL: Template("{details}", "{details}"),
        DetailKind.UNKNOWN: Template(
            "en nyare version av synken har skrivit detta ({kind})",
            "a newer version of the sync has written this ({kind})",
        ),
        DetailKind.UNEXPECTED_ERROR: Template("oväntat fel: {error} i {place}", "{error} at {place}"),
        DetailKind.FAILED_IN_A_ROW: Template(
            "{answer} ({times} gånger i följd, medan det går bra för andra)",
            "{answer} ({times} times in a row, while others succeed)",
        ),
        DetailKind.GAVE_UP: Template(
            "{problem} (sedan {since} UTC, {attempts:# försök|# försök})",
            "{problem} (since {since} UTC, {attempts:# attempt|# attempts})",
        ),
        DetailKind.GAVE_UP_ON_SERVICE: Template(
            "{service}: {problem} (sedan {since} UTC, {attempts:# försök|# försök})",
            "{service}: {problem} (since {since} UTC, {attempts:# attempt|# attempts})",
        ),
        DetailKind.REPLAY_HALTED: Template(
            "det nya försöket stötte på {cause}: {problem}",
            "the replay met {cause}: {problem}",
        ),
        DetailKind.WORKERS_ENDED: Template(
            "{workers} arbetsprocesser i följd avslutades medan detta meddelande var det enda de arbetade med",
            "{workers} workers in a row ended while this message was the only one they worked on",
        ),
        DetailKind.UNREADABLE_BODY: Template("meddelandet går inte att tolka: {problem}", "{problem}"),
        DetailKind.NO_ACTOR: Template(
            "inget program tar hand om meddelanden till {actor} i kön {queue}",
            "no worker handles messages for the actor {actor} on the queue {queue}",
        ),
        DetailKind.NO_READABLE_ACTOR: Template(
            "inget program tar hand om meddelanden till en mottagare med oläsligt namn i kön {queue}",
            "no worker handles messages for the actor of an unreadable name on the queue {queue}",
        ),
        DetailKind.DELIVERED_TOO_OFTEN: Template(
            "meddelandet kom tillbaka till sin kö oftare än RabbitMQ tillåter; kanske var det meddelandet som fick arbetsprocesserna att krascha",
            "it came back to its queue more often than RabbitMQ allows; its workers may have died over it",
        ),
        DetailKind.DROPPED_BY_POLICY: Template(
            "en policy i RabbitMQ kastade meddelandet, för att det var för gammalt eller för att kön var full; ta bort policyn",
            "a policy of RabbitMQ's dropped it, for its age or for want of room; the policy should go",
        ),
        DetailKind.REJECTED_WITHOUT_REASON: Template(
            "en arbetsprocess avvisade meddelandet utan att säga varför; dess logg säger mer",
            "a worker rejected it without saying why; its log says more",
        ),
        DetailKind.RUN_NOT_BEING_READ: Template(
            "körning {run} läser inte längre några användare",
            "run {run} is not being read any more",
        ),
        DetailKind.ANOTHER_RUN_OPEN: Template(
            "körning {run} för kommunen {tenant} pågår och gör något annat",
            "run {run} of tenant {tenant} is open and does something else",
        ),
        DetailKind.UNAVAILABLE: Template(
            "går inte att nå, så inget anrop skickades",
            "is unavailable, so no request was sent",
        ),
        DetailKind.NO_OPEN_FILE_LEFT: Template(
            "processen får inte öppna fler filer: höj gränsen (ulimit -n, LimitNOFILE)",
            "no open file is left: raise the limit (ulimit -n, LimitNOFILE)",
        ),
    }
)
