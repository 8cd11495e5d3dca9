"""Binds a message's encrypted part to its other fields, so that it fits no other message.

Fernet authenticates what it encrypts and nothing beside it. So the fields that a message has in clear
(tenant, run, user, page) are encrypted once more, with the kind of message, and both must agree. So is
the uid of the run: the numbers of runs begin anew in a new database, and old messages are not of its runs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.messages.messages import UserSync
from schemas.outcomes import Mode, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.messages import SyncRequest, TenantPage

_PAGE: Final = "page"
_USER: Final = "user"
_TRIGGER: Final = "trigger"
_UID: Final = "uid"

#: How the ids of the scheduler's events begin.
SCHEDULED_PREFIX: Final = "schedule/"


@dataclass(frozen=True, kw_only=True)
class DecryptedUser:
    """The decrypted part of a user's message: the data from Graph, and the replay that published it."""

    data: object | None
    operation: int | None


def forged_message(kind: DetailKind) -> PermanentError:
    """Return the error for a message that none of our processes made."""
    return PermanentError(Reason.FORGED_MESSAGE, Stage.RECEIVE, Detail(kind))


def sign_page(page: TenantPage, cipher: FieldCipher, run_uid: str | None = None) -> TenantPage:
    """Return the page with the proof that it is ours."""
    return dataclasses.replace(page, proof=cipher.encrypt_json({**_about_page(page), _UID: run_uid}))


def verify_page(page: TenantPage, cipher: FieldCipher, run_uid: str | None = None) -> None:
    """Raise `PermanentError` (`forged_message`) unless the page's proof is one for this very page.

    Without a `run_uid` any run of that number will do: there is none in the database.

    Raises `DecryptionError` when no key decrypts it.
    """
    if page.proof is None:
        raise forged_message(DetailKind.PAGE_WITHOUT_PROOF)
    opened = cipher.decrypt_json(page.proof)
    uid = opened.pop(_UID, None) if isinstance(opened, dict) else None
    if opened != _about_page(page):
        raise forged_message(DetailKind.PAGE_WITH_OTHER_PROOF)
    _check_uid(uid, run_uid)


def encrypt_user(
    user: UserSync,
    data: object | None,
    operation: int | None,
    cipher: FieldCipher,
    run_uid: str | None = None,
) -> UserSync:
    """Return the user's message with its payload: `data` as Graph gave it, None to have it read afresh."""
    about = {**_about_user(user), _UID: run_uid, "operation": operation, "data": data}
    # Half the time of `dataclasses.replace`, for each user of a run.
    return UserSync(tenant=user.tenant, run=user.run, user=user.user, payload=cipher.encrypt_json(about))


def decrypt_user(user: UserSync, cipher: FieldCipher, run_uid: str | None = None) -> DecryptedUser:
    """Return the decrypted part of a user's message.

    Raises `PermanentError` (`forged_message`) unless it was encrypted for this very user of this run, and
    `DecryptionError` when no key decrypts it. `run_uid` is as in `verify_page`.
    """
    if user.payload is None:
        raise forged_message(DetailKind.USER_WITHOUT_PROOF)
    opened = cipher.decrypt_json(user.payload)
    if not isinstance(opened, dict):
        raise forged_message(DetailKind.USER_WITH_ODD_PAYLOAD)
    data, operation = opened.pop("data", None), opened.pop("operation", None)
    uid = opened.pop(_UID, None)
    if opened != _about_user(user):
        raise forged_message(DetailKind.USER_WITH_OTHER_PAYLOAD)
    _check_uid(uid, run_uid)
    return DecryptedUser(data=data, operation=operation)


def is_privileged(request: SyncRequest, event_id: str) -> bool:
    """Say whether a trigger needs a proof: it asks for more than an ordinary run or dry run.

    So do the ids of the scheduler's events. They can be guessed, and a client that came first with one would
    turn the scheduler's trigger into a duplicate.
    """
    return (
        event_id.startswith(SCHEDULED_PREFIX)
        or request.mode is Mode.UNDO
        or request.override_guard
        or request.settings is not None
    )


def sign_trigger(event_id: str, fields: Mapping[str, Any], cipher: FieldCipher) -> str:
    """Return the proof that an operator of ours asks for a run: valid for this event and these fields."""
    return cipher.encrypt_json(_about_trigger(event_id, fields))


def has_valid_proof(event_id: str, fields: Mapping[str, Any], cipher: FieldCipher) -> bool:
    """Say whether a trigger's fields contain the proof; raises `DecryptionError` when no key decrypts it."""
    proof = fields.get("proof")
    return isinstance(proof, str) and cipher.decrypt_json(proof) == _about_trigger(event_id, fields)


def _check_uid(uid: object, run_uid: str | None) -> None:
    if run_uid is not None and uid != run_uid:
        raise forged_message(DetailKind.RUN_OF_FORMER_DATABASE)


def _about_page(page: TenantPage) -> dict[str, Any]:
    return {
        "kind": _PAGE,
        "tenant": page.tenant,
        "run": page.run,
        "attempt": page.attempt,
        "number": page.number,
        "link": page.link,
    }


def _about_user(user: UserSync) -> dict[str, Any]:
    return {"kind": _USER, "tenant": user.tenant, "run": user.run, "user": user.user}


def _about_trigger(event_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in fields.items() if name != "proof"}
    return {"kind": _TRIGGER, "event": event_id, "fields": asked}
