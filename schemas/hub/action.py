"""What members and programs have done in the Data Hub: each action once, whatever is pressed twice."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.hub.session import AuditKind


class ActionRefusal(StrEnum):
    """Why an action was not carried out."""

    #: The key belongs to another action.
    KEY_REUSED = "key_reused"
    #: Another request carries it out, and it takes long.
    UNDER_WAY = "under_way"
    #: The tenant is switched off.
    DISABLED = "disabled"
    #: A run that was halted with a question waits for an answer.
    UNANSWERED = "unanswered"
    #: The run goes on already.
    GOES_ON = "goes_on"
    #: The run has ended.
    ENDED = "ended"
    #: The run asks whether what it would do is right.
    NEEDS_ANSWER = "needs_answer"
    #: The settings were changed since the run began, and that was not accepted.
    OTHER_SETTINGS = "other_settings"
    #: Another run of the tenant is open.
    OTHER_RUN = "other_run"
    #: Another person has changed it since it was looked at.
    CHANGED_MEANWHILE = "changed_meanwhile"
    #: About one of the two users there is a decision.
    DECIDED = "decided"
    #: There is no decision that could be taken back.
    UNDECIDED = "undecided"
    #: Entra or Skolon has no such user any more.
    NO_SUCH_USER = "no_such_user"
    #: The user in Skolon belongs to another account, or the account to another user in Skolon.
    BELONGS_TO_OTHER = "belongs_to_other"
    #: It does what has to be confirmed first, and was not.
    UNCONFIRMED = "unconfirmed"
    #: Entra or Skolon does not let us ask.
    SERVICE_REFUSES = "service_refuses"
    #: The run goes on, and can be undone when it has ended.
    NOT_ENDED = "not_ended"
    #: Another task on dead letters of the tenant is open.
    OTHER_TASK = "other_task"
    #: The group is not set aside.
    NOT_ASIDE = "not_aside"
    #: The task has ended.
    TASK_ENDED = "task_ended"
    #: None of the chosen users fails for the reason any more.
    NOBODY = "nobody"
    #: The run has changed no user, or what it changed is not kept any more.
    NOTHING_TO_UNDO = "nothing_to_undo"
    #: The sync is switched on, and it must be off for that.
    SWITCHED_ON = "switched_on"
    #: The connection to Entra is not set up.
    NOT_SET_UP = "not_set_up"
    #: Entra does not take the new client secret, or cannot be asked: the former one stays in use.
    SECRET_REFUSED = "secret_refused"  # noqa: S105 - a word, no secret
    ENTRA_AWAY = "entra_away"
    #: There are so many already that no further one is made.
    TOO_MANY = "too_many"
    #: A second person has to approve it first.
    NOT_APPROVED = "not_approved"
    #: Who has worked on a draft does not approve it.
    OWN_DRAFT = "own_draft"
    #: Nor does a member who was just given access by one of these.
    OWN_GUEST = "own_guest"
    #: No user would be found in Skolon with such a mapping.
    NO_MATCH_KEY = "no_match_key"
    #: There is no webhook.
    NO_WEBHOOK = "no_webhook"
    #: So many tests of notifications were sent just now that no other one is.
    TOO_MANY_TESTS = "too_many_tests"


class ActionRefusedError(UsageError):
    """An action was not carried out, and changed nothing; `why` says it in one word."""

    def __init__(self, why: ActionRefusal, message: str) -> None:
        super().__init__(message)
        self.why = why


#: Before the number of a member or a token, where a command would note the user of its machine.
_MEMBER: Final = "Data Hub, member "
_TOKEN: Final = "Data Hub, token "  # noqa: S105 - words, no secret

#: What a page or a program makes up for an action, so that the same one is not done twice.
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a member of the Data Hub, or a program with a token; each by its number."""

    member: int | None = None
    token: int | None = None

    @property
    def operator(self) -> str:
        """How decisions and operations name who acts: by number, because names are stored encrypted."""
        return f"{_MEMBER}{self.member}" if self.member is not None else f"{_TOKEN}{self.token}"


#: A command acts, or nothing is known of who does.
NO_ACTOR: Final = Actor()


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A form or request that was sent: who has sent it, and the key that its sender made up.

    Sent twice, it has the same key.
    """

    actor: Actor
    key: str


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that is done for a tenant; `run` is the run that it is done to.

    What asks for a run has the `event` id of the trigger. What is done about a user has the `user` in Entra,
    the one in Skolon (`skolon_id`), or both.

    `key` tells it from others of the tenant. The same key with other `fields` is another action, which is
    refused. The audit names the `reason` and the number of `users` that it is done to, if it is,
    and what of the `mapping` it is about.
    """

    kind: AuditKind
    tenant: str
    key: str
    run: int | None = None
    event: str | None = None
    user: str | None = None
    skolon_id: str | None = None
    reason: Reason | None = None
    users: int | None = None
    mapping: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A digest of what is done: it tells an action from another one with the same key."""
        what = json.dumps([self.kind, self.run, self.user, self.skolon_id, self.fields], sort_keys=True)
        return hashlib.sha256(what.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class BegunAction:
    """An action that was begun, by this call if `is_new`.

    `result` has its answer once it is done. While `is_under_way` another request carries it out.
    """

    is_new: bool
    is_under_way: bool = False
    result: Mapping[str, Any] | None = None


def actor_of(operator: str | None) -> Actor | None:
    """Return who acted by what `Actor.operator` gave; None for the user of a machine."""
    for prefix, name in ((_MEMBER, "member"), (_TOKEN, "token")):
        number = (operator or "").removeprefix(prefix)
        if number != operator and number.isascii() and number.isdigit():
            return Actor(**{name: int(number)})
    return None


def is_action_key(text: str) -> bool:
    """Say whether a text can be the key of an action."""
    return _KEY.fullmatch(text) is not None
