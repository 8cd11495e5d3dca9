"""The three messages that travel through RabbitMQ, and the CloudEvents form of the first.

docs/asyncapi.yaml describes the same; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.fields import field_details
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.fields import ObjectId, StrictBoolean, Text
from schemas.outcomes import Mode, Stage
from schemas.tenants.tenant_schema import TENANT_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

TENANT_SYNC_QUEUE: Final = "tenant-sync"
TENANT_PAGES_QUEUE: Final = "tenant-pages"
USER_SYNC_QUEUE: Final = "user-sync"
QUEUES: Final = (TENANT_SYNC_QUEUE, TENANT_PAGES_QUEUE, USER_SYNC_QUEUE)

#: The direct exchange that clients are given: it leads to `tenant-sync`, by that routing key, alone.
TRIGGERS_EXCHANGE: Final = "triggers"

TENANT_SYNC_ACTOR: Final = "tenant_sync"
TENANT_PAGE_ACTOR: Final = "tenant_page"
USER_SYNC_ACTOR: Final = "user_sync"

#: The one actor that works on each queue's messages.
ACTORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        TENANT_SYNC_QUEUE: TENANT_SYNC_ACTOR,
        TENANT_PAGES_QUEUE: TENANT_PAGE_ACTOR,
        USER_SYNC_QUEUE: USER_SYNC_ACTOR,
    }
)

#: CloudEvents 1.0, section "type": what a trigger calls itself.
TENANT_SYNC_EVENT_TYPE: Final = "com.skolon.tenant-sync.requested"

#: Characters in the id of a trigger.
MAX_EVENT_ID_LENGTH: Final = 200

#: No run has a higher number: the database has no room for it.
MAX_RUN_ID: Final = 2**31 - 1

#: A run of so many named users at most is small enough to go before the others: a person waits for it.
MAX_QUICK_USERS: Final = 20

#: The section of ours in a message's `options`.
METADATA_KEY: Final = "update_sync"

#: The key in that section of a message that goes before others, also when it is tried again.
QUICK: Final = "quick"
#: The key in that section of a replayed message, and in it the key of the replay's number.
REPLAY: Final = "replay"
OPERATION: Final = "operation"
DEAD_SINCE: Final = "dead_since"
#: And why, as a kind and parameters, beside the English sentence.
STRUCTURED_DETAIL: Final = "structured_detail"


@dataclass(frozen=True, kw_only=True)
class SyncRequest:
    """A request for a run; empty `users` means all users.

    `reverts_run_id` is the number of the run that a run in the mode `undo` puts back; `override_guard` lets
    such a run pass the guard. `settings` are tried before they are saved.
    """

    tenant: str
    mode: Mode = Mode.FULL
    dry_run: bool = False
    users: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    reverts_run_id: int | None = None
    override_guard: bool = False
    #: Skolon is asked about every user, even if a recent run verified the user.
    recheck_all: bool = False
    #: Proves that an operator of ours asks (`schemas.messages.authentication`).
    proof: str | None = field(default=None, repr=False)

    @property
    def is_quick(self) -> bool:
        """Whether its run goes before the users of other runs, and waits for none of them."""
        return 0 < len(self.users) <= MAX_QUICK_USERS and self.mode is not Mode.UNDO


@dataclass(frozen=True, kw_only=True)
class TenantPage:
    """One page of a run to be read: page `number` of scan `scan`, at Graph's `link` (None: the first).

    The link of an undo is the last user of the page before, for its users come from the database. So do the
    unresolved users of a delta, whose link is a word.
    """

    tenant: str
    run: int
    attempt: int
    number: int
    link: str | None
    #: Proves that the message is ours (`schemas.messages.authentication`).
    proof: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class UserSync:
    """One user of a run; `payload` is encrypted, with the user's data from Graph if there are any."""

    tenant: str
    run: int
    user: str
    payload: str | None


class SyncRequestSchema(Schema):
    """The data of a trigger."""

    tenant = fields.String(required=True, validate=TENANT_KEY)
    mode = fields.Enum(Mode, by_value=True, load_default=Mode.FULL)
    dry_run = StrictBoolean(load_default=False)
    users = fields.List(ObjectId(), load_default=list)
    settings = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)
    reverts_run_id = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1, max=MAX_RUN_ID)
    )
    override_guard = StrictBoolean(load_default=False)
    recheck_all = StrictBoolean(load_default=False)
    proof = fields.String(load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _trial_is_dry(self, data: dict[str, Any], **_: object) -> None:
        if data["settings"] is not None and not data["dry_run"]:
            raise ValidationError("Unsaved settings can only be tried in a dry run.", "settings")

    @validates_schema(skip_on_field_errors=True)
    def _check_undo(self, data: dict[str, Any], **_: object) -> None:
        is_undo = data["mode"] is Mode.UNDO
        if is_undo != (data["reverts_run_id"] is not None):
            raise ValidationError(
                "A run to undo belongs to the mode undo, and to it alone.", "reverts_run_id"
            )
        if data["override_guard"] and not is_undo:
            raise ValidationError("Only an undo can be accepted beforehand.", "override_guard")
        if is_undo and data["settings"] is not None:
            raise ValidationError("An undo takes no settings.", "settings")


class CloudEventSchema(Schema):
    """A CloudEvents 1.0 structured JSON event that asks for a run; extensions are let through."""

    class Meta:
        """Marshmallow's options."""

        unknown = INCLUDE

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = fields.String(required=True, validate=validate.Length(min=1, max=MAX_EVENT_ID_LENGTH))
    source = fields.String(required=True, validate=validate.Length(min=1))
    type = fields.String(required=True, validate=validate.Equal(TENANT_SYNC_EVENT_TYPE))
    datacontenttype = fields.String(validate=validate.Equal("application/json"))
    data = fields.Raw(required=True)


class TenantPageSchema(Schema):
    """The arguments of a page message."""

    tenant = fields.String(required=True)
    run = fields.Integer(required=True, strict=True)
    attempt = fields.Integer(required=True, strict=True)
    number = fields.Integer(required=True, strict=True)
    link = fields.String(required=True, allow_none=True)
    proof = fields.String(load_default=None, allow_none=True)


class UserSyncSchema(Schema):
    """The arguments of a user message."""

    tenant = Text(required=True)
    run = fields.Integer(required=True, strict=True)
    user = Text(required=True)
    payload = Text(load_default=None, allow_none=True)


_SYNC_REQUEST: Final = SyncRequestSchema()
_TENANT_PAGE: Final = TenantPageSchema()
_USER_SYNC: Final = UserSyncSchema()
_CLOUD_EVENT: Final = CloudEventSchema()


def replay_operation(section: object) -> int | None:
    """Return the number of the replay that published a message with that section, None if none did."""
    replay = section.get(REPLAY) if isinstance(section, dict) else None
    operation = replay.get(OPERATION) if isinstance(replay, dict) else None
    return operation if isinstance(operation, int) and not isinstance(operation, bool) else None


def load_sync_request(data: object) -> SyncRequest:
    """Check the data of a trigger; raise `PermanentError` (`invalid_trigger`) that names each fault."""
    loaded = _load(_SYNC_REQUEST, data, Reason.INVALID_TRIGGER)
    loaded["users"] = tuple(dict.fromkeys(loaded["users"]))
    return SyncRequest(**loaded)


def load_tenant_page(data: object) -> TenantPage:
    """Check the arguments of a page message; raise `PermanentError` (`undecodable`) if they are not ours."""
    return TenantPage(**_load(_TENANT_PAGE, data, Reason.UNDECODABLE))


def load_user_sync(data: object) -> UserSync:
    """Check the arguments of a user message; raise `PermanentError` (`undecodable`) if they are not ours."""
    return UserSync(**_load(_USER_SYNC, data, Reason.UNDECODABLE))


def reject_positional_arguments(args: tuple[object, ...]) -> None:
    """Raise `PermanentError` (`undecodable`) for arguments without names: a message of ours has none."""
    if args:
        raise PermanentError(Reason.UNDECODABLE, Stage.RECEIVE, Detail(DetailKind.FIELDS_WITHOUT_NAMES))


def is_cloud_event(data: object) -> bool:
    """Say whether a JSON value means to be a CloudEvent."""
    return isinstance(data, dict) and "specversion" in data


def load_cloud_event(event: object) -> object:
    """Check a CloudEvent that asks for a run and return its data; raise `PermanentError` if it is none."""
    return _load(_CLOUD_EVENT, event, Reason.INVALID_TRIGGER)["data"]


def _load(schema: Schema, data: object, reason: Reason) -> dict[str, Any]:
    try:
        return dict(schema.load(data))  # type: ignore[arg-type] # anything may have been sent
    except ValidationError as error:
        raise PermanentError(reason, Stage.RECEIVE, field_details(error.messages)) from None


def event_envelope(event: dict[str, Any]) -> dict[str, Any]:
    """Return a CloudEvent as the fields of a dramatiq message.

    The event travels whole, faults and all: its reader makes a dead letter that names them. Its id
    becomes the message's, so that the same event is the same run.
    """
    event_id = event.get("id")
    return {
        "queue_name": TENANT_SYNC_QUEUE,
        "actor_name": TENANT_SYNC_ACTOR,
        "args": (),
        "kwargs": {"event": event},
        "options": {},
        **({"message_id": event_id} if isinstance(event_id, str) and event_id else {}),
    }
