"""Reads the answers to requests for one user, and compares a user after an update with what was written."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from clients.http.session import json_object
from clients.skolon.errors import Operation, UserNotFoundError, unreadable
from clients.skolon.scim import read_user
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.users.scim import UnreadableScimError
from schemas.users.skolon_user import is_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from clients.skolon.profiles import Profile
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser


def moved(
    before: SkolonUser, after: SkolonUser, changes: Mapping[Attribute, str | None]
) -> frozenset[Attribute]:
    """Return the attributes that have the written value, or another than before."""
    lacking = after.lacking(changes)
    return frozenset(
        name
        for name in changes
        if name not in lacking or after.attributes.get(name) != before.attributes.get(name)
    )


def with_usable_version(user: SkolonUser) -> SkolonUser:
    """Return a user without a version that no header can hold: the next reading tells it."""
    return user if user.version is None or is_version(user.version) else replace(user, version=None)


def user_in(response: requests.Response, user_id: str, profile: Profile) -> SkolonUser | None:
    """Return the user in an answer to an update, None if there is none.

    Raises `TransientError` for an answer that holds something else, as that of a proxy does.
    """
    if not response.content.strip():
        return None
    body = json_object(response)
    if body is None:
        raise unreadable(response, Detail(DetailKind.NO_JSON_OBJECT), Operation.UPDATE)
    return None if body.get("id") is None else _user_of(body, response, user_id, Operation.UPDATE, profile)


def user_after(
    response: requests.Response,
    before: SkolonUser,
    changes: Mapping[Attribute, str | None],
    profile: Profile,
    read: Callable[[], tuple[SkolonUser, dict[str, Any]] | None],
) -> SkolonUser | None:
    """Return the user after a successful update; `read` reads it now, unless the answer shows the changes.

    None if the server has accepted the update (202), and shows nothing of it so far. Raises
    `UserNotFoundError` if the user is no longer there, and as `user_in` and `read` do.
    """
    shown = user_in(response, before.id, profile)
    if shown is not None and not shown.lacking(changes):
        return with_usable_version(shown)
    found = read()
    if found is None:
        raise UserNotFoundError("the Skolon user is no longer there")
    after, _ = found
    if response.status_code == HTTPStatus.ACCEPTED and not moved(before, after, changes):
        return None
    return with_usable_version(replace(after, version=after.version or response.headers.get("ETag")))


def user_of(response: requests.Response, user_id: str, operation: Operation, profile: Profile) -> SkolonUser:
    """Return the user in an answer; raises `TransientError` if it is none, or another one."""
    body = json_object(response)
    if body is None:
        raise unreadable(response, Detail(DetailKind.NO_JSON_OBJECT), operation)
    return _user_of(body, response, user_id, operation, profile)


def _user_of(
    body: Mapping[str, Any],
    response: requests.Response,
    user_id: str,
    operation: Operation,
    profile: Profile,
) -> SkolonUser:
    try:
        user = read_user(body, profile, version=response.headers.get("ETag"))
    except UnreadableScimError as error:
        why = Detail(DetailKind.UNREADABLE_FIELDS, faults=str(error))
    else:
        if user.id == user_id:
            return user
        why = Detail(DetailKind.OTHER_USER_IN_ANSWER)
    raise unreadable(response, why, operation)
