"""Sends the PATCH of one user, and says what an answer of success tells of the user's new version."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

import structlog

from clients.http.session import json_object
from clients.skolon.errors import Operation, unreadable
from clients.skolon.scim import read_user
from schemas.outcomes import Stage
from schemas.users.scim import UnreadableScimError
from schemas.users.skolon_user import SkolonUser, is_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from clients.skolon.capability_cache import CapabilityCache

_SCIM: Final = "application/scim+json"

_log = structlog.get_logger(__name__)


class SendUpdate(Protocol):
    """Sends a request for an organisation's users; returns the response whatever its status."""

    def __call__(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        organisation: str,
        rest: str,
        *,
        stage: Stage | None,
        headers: Mapping[str, str],
        json: Mapping[str, Any],
    ) -> requests.Response:
        """Take what follows `/Users` in the URL."""


class ReadUser(Protocol):
    """Reads a user as it is now."""

    def __call__(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return the user, None when there is none."""


class ScimUpdate:
    """Updates users, each only at the version that was read, unless the server refuses its own versions."""

    def __init__(self, send: SendUpdate, read: ReadUser, capabilities: CapabilityCache) -> None:
        self._send = send
        self._read = read
        self._capabilities = capabilities

    def patch(self, organisation: str, user: SkolonUser, body: Mapping[str, Any]) -> requests.Response:
        """Return the response to a PATCH of `user`, whatever its status.

        412 says that the user has changed. If it has not, and the same version is refused once more, the
        server does not know its version again. The PATCH is sent without it then, and for a while so are
        others.
        """
        knows_versions = self._capabilities.get(organisation).knows_versions
        response = self._patch(organisation, user, body, with_version=knows_versions)
        if response.status_code != HTTPStatus.PRECONDITION_FAILED or not knows_versions:
            return response
        current = self._read(organisation, user.id)
        if current is None or (current.version, current.attributes) != (user.version, user.attributes):
            return response
        response = self._patch(organisation, current, body, with_version=True)
        if response.status_code != HTTPStatus.PRECONDITION_FAILED:
            return response
        self._capabilities.record(organisation, knows_versions=False)
        _log.warning("skolon_refuses_its_versions", organisation=organisation)
        return self._patch(organisation, user, body, with_version=False)

    def _patch(
        self, organisation: str, user: SkolonUser, body: Mapping[str, Any], *, with_version: bool
    ) -> requests.Response:
        headers = {"Content-Type": _SCIM}
        if with_version and user.version is not None:
            headers["If-Match"] = user.version
        path = f"/{quote(user.id, safe='')}"
        return self._send("PATCH", organisation, path, stage=Stage.UPDATE, headers=headers, json=body)


def updated_version(response: requests.Response, user_id: str) -> str | None:
    """Return the version of a user after an update, None where the answer does not tell it.

    An answer may hold the user, a part of it, or nothing (RFC 7644 section 3.5.2). Raises `TransientError`
    for one that holds something else, as that of a proxy does.
    """
    version = response.headers.get("ETag")
    if response.content.strip():
        body = json_object(response)
        if body is None:
            raise unreadable(response, "no JSON object", Operation.UPDATE)
        if body.get("id") is not None:
            version = user_of(response, user_id, Operation.UPDATE).version
    # An unusable version does not matter: the next reading tells it.
    return version if version is not None and is_version(version) else None


def user_of(response: requests.Response, user_id: str, operation: Operation) -> SkolonUser:
    """Return the user in an answer; raises `TransientError` if it is none, or another one."""
    body = json_object(response)
    if body is None:
        raise unreadable(response, "no JSON object", operation)
    try:
        user = read_user(body, version=response.headers.get("ETag"))
    except UnreadableScimError as error:
        why = str(error)
    else:
        if user.id == user_id:
            return user
        why = "it holds another user"
    raise unreadable(response, why, operation)
