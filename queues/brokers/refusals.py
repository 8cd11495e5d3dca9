"""What RabbitMQ's refusals say: its texts are read for names, and say which thing an operator has to mend.

The texts are those of RabbitMQ 3.10 to 4 (`rabbit_access_control`, `rabbit_reader`, `rabbit_channel`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pika import exceptions as amqp

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of connections, RabbitMQ's words are an argument of what pika makes of them.
_REFUSING: Final = (
    amqp.ProbableAuthenticationError,
    amqp.ProbableAccessDeniedError,
    amqp.ConnectionClosedByBroker,
    amqp.ChannelClosedByBroker,
)

#: The right that AMQP asks for, by what it is about, where RabbitMQ does not name it (before 4).
_PERMISSION: Final = {"queue": "configure or read", "exchange": "configure, write or read", "topic": "write"}

#: The exchange for publishing to a queue by its name; it cannot be declared or bound.
_DEFAULT_EXCHANGE: Final = "amq.default"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why RabbitMQ refused, in words for an operator; `is_temporary` when it may pass by itself."""

    message: str
    is_temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class MissingPermission:
    """That a user lacks a right: on which `thing` (queue or exchange) of which `name`."""

    permission: str
    thing: str
    name: str
    vhost: str
    user: str

    @property
    def message(self) -> str:
        """Return the words for an operator."""
        return (
            f"RabbitMQ's user {self.user} lacks the right to {self.permission} on the {self.thing}"
            f" {self.name} in the virtual host {self.vhost}: rabbitmqctl set_permissions gives it"
        )


def find_refusal(error: BaseException) -> Refusal | None:
    """Return what a refusal of RabbitMQ's says; None for what is no refusal, or one that says nothing."""
    text = _text(error)
    for pattern, read in _TEXTS:
        if found := pattern.search(text):
            return read(*(_shown(group) for group in found.groups()))
    if permission := find_missing_permission(error):
        return Refusal(message=permission.message)
    return None


def find_missing_permission(error: BaseException) -> MissingPermission | None:
    """Return which right is missing, if that is what RabbitMQ says."""
    found = _NO_PERMISSION.search(_text(error))
    if found is None:
        return None
    permission, thing, name, vhost, user = (_shown(group or "") for group in found.groups())
    asked = "write" if name == _DEFAULT_EXCHANGE else _PERMISSION[thing]
    return MissingPermission(permission=permission or asked, thing=thing, name=name, vhost=vhost, user=user)


def _login() -> Refusal:
    return Refusal(
        message="RabbitMQ refused the user name or the password (the user guest may come from its own machine"
        " alone): see UPDATE_SYNC_AMQP_URL"
    )


def _limit(limit: str) -> Refusal:
    return Refusal(
        message=f"RabbitMQ's limit of connections for our virtual host or user is reached ({limit}): end"
        " others, or raise it (rabbitmqctl set_vhost_limits, set_user_limits); README.md says how many each"
        " process needs",
        is_temporary=True,
    )


def _no_vhost(vhost: str) -> Refusal:
    return Refusal(
        message=f"RabbitMQ has no virtual host {vhost}: rabbitmqctl add_vhost makes one, or the path in"
        " UPDATE_SYNC_AMQP_URL is wrong"
    )


def _vhost_down(vhost: str) -> Refusal:
    return Refusal(message=f"RabbitMQ's virtual host {vhost} is down", is_temporary=True)


def _no_access(vhost: str, user: str) -> Refusal:
    return Refusal(
        message=f"RabbitMQ's user {user} has no rights in the virtual host {vhost}: rabbitmqctl"
        " set_permissions gives them, or the path in UPDATE_SYNC_AMQP_URL is wrong"
    )


def _other_queue(queue: str) -> Refusal:
    return Refusal(
        message=f"the queue {queue} exists in RabbitMQ with other properties than ours (a classic queue,"
        " another system's, or an older version's): empty and delete it, and it is made as it has to be"
    )


#: The first that is found counts: a limit's text begins as that of a vhost without rights does.
_TEXTS: Final[tuple[tuple[re.Pattern[str], Callable[..., Refusal]], ...]] = (
    (re.compile(r"ACCESS_REFUSED - Login was refused"), _login),
    (re.compile(r"connection limit \((-?\d+)\) is reached"), _limit),
    (re.compile(r"vhost '?([^']{1,255}?)'? not found"), _no_vhost),
    (re.compile(r"vhost '([^']{1,255})' is down"), _vhost_down),
    (
        re.compile(r"NOT_ALLOWED - access to vhost '([^']{1,255})' refused for user '([^']{1,255})'"),
        _no_access,
    ),
    (re.compile(r"PRECONDITION_FAILED - inequivalent arg .{1,100} for queue '([^']{1,255})'"), _other_queue),
)
_NO_PERMISSION: Final = re.compile(
    r"ACCESS_REFUSED - (?:(configure|write|read) )?access to (queue|exchange|topic) '([^']{1,255})'"
    r"(?: in exchange '[^']*')? in vhost '([^']{1,255})' refused for user '([^']{1,255})'"
)


def _text(error: BaseException) -> str:
    return " ".join(map(str, error.args)) if isinstance(error, _REFUSING) else ""


def _shown(name: str) -> str:
    """Return a name without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in name)
