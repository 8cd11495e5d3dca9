"""Reads a dead letter defensively, from its body and from RabbitMQ's headers.

A client may have published anything: a field that is not readable counts as missing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from marshmallow import ValidationError

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, as_detail, from_json, structured_json
from schemas.details.kinds import DetailKind
from schemas.messages.envelope import MAX_DEAD_LETTER_BYTES, UndecodableError, read_envelope
from schemas.messages.messages import (
    ACTORS,
    METADATA_KEY,
    STRUCTURED_DETAIL,
    USER_SYNC_QUEUE,
    replay_operation,
)
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from schemas.safe_text import is_storable
from schemas.tenants.tenant_schema import TENANT_KEY
from schemas.timestamps import timestamp
from schemas.users.attributes import Attribute
from schemas.users.graph_user import is_entra_id
from schemas.users.skolon_user import MAX_ID_LENGTH
from schemas.validation import readable_name

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Skolon users that one key finds, and that a receipt keeps, at most.
MAX_CANDIDATES: Final = 200

#: RabbitMQ's word, in `x-death`, for a message that was given back too often.
_DELIVERY_LIMIT: Final = "delivery_limit"

#: RabbitMQ's words for a message that a policy dropped: for its age, or for want of room.
_DROPPED: Final = ("expired", "maxlen")


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One dead letter; `queue` is the queue that its message failed on.

    `envelope` is None when the bytes are no message. With `by_broker` RabbitMQ dead-lettered the message by
    itself, so that its `failure` is derived.
    """

    queue: str
    body: bytes = field(repr=False)
    headers: Mapping[str, Any] = field(repr=False)
    envelope: Mapping[str, Any] | None = field(repr=False)
    failure: Failure
    by_broker: bool
    attempts: int | None
    first_failed: dt.datetime | None
    dead_since: dt.datetime | None
    version: str | None

    @property
    def id(self) -> str:
        """The message's id; for bytes that are no message, one that is made of them."""
        named = readable_name((self.envelope or {}).get("message_id"))
        return named or f"body-{hashlib.sha256(self.body).hexdigest()[:16]}"

    @property
    def is_known(self) -> bool:
        """Whether it is a message for the actor of its queue."""
        return self.envelope is not None and self.envelope["actor_name"] == ACTORS.get(self.queue)

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the message asks for."""
        fields: Mapping[str, Any] = (self.envelope or {}).get("kwargs", {})
        event = fields.get("event")
        data = event.get("data") if isinstance(event, dict) else None
        return data if isinstance(data, dict) else fields

    @property
    def tenant(self) -> str | None:
        """The tenant that it names."""
        return _tenant_key(self.fields.get("tenant"))

    @property
    def run(self) -> int | None:
        """The run that it names."""
        run = self.fields.get("run")
        return run if isinstance(run, int) and not isinstance(run, bool) else None

    @property
    def user(self) -> str | None:
        """The Entra id that it names."""
        user = self.fields.get("user")
        return user if is_entra_id(user) else None

    @property
    def receipt_key(self) -> tuple[int, str] | None:
        """The key of the user's receipt (run and user), None if it is no user's message."""
        if self.queue != USER_SYNC_QUEUE or not self.is_known or self.run is None or self.user is None:
            return None
        if self.failure.reason is Reason.FORGED_MESSAGE:
            # A forged message names a receipt that it has nothing to do with.
            return None
        return self.run, self.user

    @property
    def is_dropped(self) -> bool:
        """Whether a policy of RabbitMQ dropped the message, so that no user has failed."""
        return self.by_broker and _last_death(self.headers).get("reason") in _DROPPED

    @property
    def payload(self) -> str | None:
        """The encrypted user data as published."""
        payload = self.fields.get("payload")
        return payload if isinstance(payload, str) else None

    @property
    def operation(self) -> int | None:
        """The replay that published the message that failed."""
        return replay_operation(_section(self.envelope))

    def as_json(self) -> dict[str, Any]:
        """Return what may be shown: ids, reasons and times, no values."""
        return {
            "id": self.id,
            "queue": self.queue,
            "tenant": self.tenant,
            "run": None if self.run is None else str(self.run),
            "user": self.user,
            "reason": str(self.failure.reason),
            "stage": str(self.failure.stage),
            "detail": self.failure.detail,
            "structured_detail": structured_json(self.failure.detail),
            "collision": self.failure.collision and self.failure.collision.as_json(),
            "candidates": list(self.failure.candidates),
            "attempts": self.attempts,
            "first_failed": self.first_failed and timestamp(self.first_failed),
            "dead_since": self.dead_since and timestamp(self.dead_since),
            "version": self.version,
            "operation": None if self.operation is None else str(self.operation),
            "made_by": "rabbitmq" if self.by_broker else "update-sync",
            "bytes": len(self.body),
        }


def read_dead_letter(queue: str, body: bytes, headers: Mapping[str, Any] | None = None) -> DeadLetter:
    """Parse a dead letter of `queue`; `headers` are RabbitMQ's."""
    headers = headers or {}
    envelope, fault = None, as_detail("")
    try:
        envelope = read_envelope(body, largest=MAX_DEAD_LETTER_BYTES)
    except UndecodableError as error:
        fault = Detail(DetailKind.UNREADABLE_BODY, problem=str(error))
    section, death = _section(envelope), _last_death(headers)
    failure = _failure_in(section)
    return DeadLetter(
        queue=queue,
        body=body,
        headers=headers,
        envelope=envelope,
        failure=failure or _derived(queue, envelope, fault, death),
        by_broker=failure is None,
        attempts=_count(section.get("attempts")),
        first_failed=_moment(section.get("first_failed")),
        dead_since=_moment(section.get("dead_since") if failure else death.get("time")),
        version=readable_name(section.get("version")),
    )


def _failure_in(section: Mapping[str, Any]) -> Failure | None:
    """Return the failure that our middleware wrote into the message, None if it did not."""
    try:
        reason, stage = Reason(section.get("reason", "")), Stage(section.get("stage", ""))
    except ValueError:
        return None
    detail = section.get("detail")
    return Failure(
        reason=reason,
        stage=stage,
        # A kind that only a newer version knows leaves its sentence.
        detail=from_json(section.get(STRUCTURED_DETAIL))
        or as_detail(detail if isinstance(detail, str) else ""),
        collision=_collision_in(section.get("collision")),
        candidates=_candidates_in(section.get("candidates")),
    )


def _collision_in(value: Any) -> Collision | None:
    """Return the collision that a message tells of, None without a readable one."""
    if not isinstance(value, dict):
        return None
    holder, skolon_id, about = value.get("holder"), value.get("skolon_user"), value.get("attribute")
    attribute = Attribute(about) if about in list(Attribute) else None
    if not _is_skolon_id(skolon_id):
        return None
    if holder is None and attribute is not None:
        return Collision(holder_entra_id=None, skolon_id=skolon_id, attribute=attribute)
    if not (isinstance(holder, str) and is_entra_id(holder)):
        return None
    tenant = _tenant_key(value.get("holder_tenant"))
    return Collision(holder_entra_id=holder, skolon_id=skolon_id, holder_tenant=tenant, attribute=attribute)


def _candidates_in(value: Any) -> tuple[str, ...]:
    """Return the readable Skolon ids of a list."""
    ids = value[:MAX_CANDIDATES] if isinstance(value, list) else ()
    return tuple(each for each in ids if _is_skolon_id(each))


def _is_skolon_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and is_storable(value) and len(value) <= MAX_ID_LENGTH


def _tenant_key(value: Any) -> str | None:
    try:
        return TENANT_KEY(value) if isinstance(value, str) else None
    except ValidationError:
        return None


def _derived(
    queue: str, envelope: Mapping[str, Any] | None, fault: Detail, death: Mapping[str, Any]
) -> Failure:
    """Return why RabbitMQ dead-lettered the message by itself, as far as its headers tell."""
    if envelope is None:
        return Failure(reason=Reason.UNDECODABLE, stage=Stage.RECEIVE, detail=fault)
    if envelope["actor_name"] != ACTORS.get(queue):
        actor = readable_name(envelope["actor_name"])
        detail = (
            Detail(DetailKind.NO_READABLE_ACTOR, queue=queue)
            if actor is None
            else Detail(DetailKind.NO_ACTOR, actor=actor, queue=queue)
        )
        return Failure(reason=Reason.UNDECODABLE, stage=Stage.RECEIVE, detail=detail)
    if death.get("reason") == _DELIVERY_LIMIT:
        detail = Detail(DetailKind.DELIVERED_TOO_OFTEN)
        return Failure(reason=Reason.CRASHED_WORKER, stage=Stage.RECEIVE, detail=detail)
    if death.get("reason") in _DROPPED:
        detail = Detail(DetailKind.DROPPED_BY_POLICY)
        return Failure(reason=Reason.BUG, stage=Stage.RECEIVE, detail=detail)
    detail = Detail(DetailKind.REJECTED_WITHOUT_REASON)
    return Failure(reason=Reason.BUG, stage=Stage.RECORD, detail=detail)


def _section(envelope: Mapping[str, Any] | None) -> Mapping[str, Any]:
    section = (envelope or {}).get("options", {}).get(METADATA_KEY)
    return section if isinstance(section, dict) else {}


def _last_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the newest entry of `x-death`, which RabbitMQ puts first."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths else None
    return newest if isinstance(newest, dict) else {}


def _moment(value: object) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) and value.tzinfo else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
