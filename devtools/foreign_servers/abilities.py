"""Tries what the sync needs of a SCIM server with each one that others wrote."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from devtools.foreign_servers.servers import TOKEN, django_scim2, scimmy
from devtools.odd_servers.trial import USERS, made_up_user, try_server
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from schemas.tenants.skolon_target import SkolonProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from devtools.foreign_servers.servers import ForeignServer

FOREIGN_BEGIN: Final = "<!-- written by devtools/foreign_servers/abilities.py: begin -->"
FOREIGN_END: Final = "<!-- written by devtools/foreign_servers/abilities.py: end -->"
FOREIGN_HEADING: Final = "server"

#: The one organisation that each of them has.
_ORGANISATION: Final = "exempelkommun"

_CHANGE: Final = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "name.familyName", "value": "Annan"}],
}
_TIMEOUT: Final = 30


@dataclass(frozen=True, kw_only=True)
class _Organisation:
    """The users of a server; `read` returns all of them by their ids."""

    base_url: str
    read: Callable[[], Mapping[str, dict[str, Any]]]

    @property
    def documents(self) -> dict[str, dict[str, Any]]:
        held = self.read()
        return {str(number): held[made_up_user(number)["id"]] for number in range(USERS)}

    def change_behind(self, user_id: str) -> bool:
        """Change a user by SCIM: what a server refuses to another program, that one cannot do either."""
        url = f"{self.base_url.format(organisation=_ORGANISATION)}/Users/{user_id}"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}
        return requests.patch(url, json=_CHANGE, headers=headers, timeout=_TIMEOUT).ok


def try_foreign_servers() -> list[tuple[str, list[str]]]:
    """Return for each server its name and what the client does with it. Raises `Unavailable`."""
    return [(name, _tried(opened)) for name, opened in _SERVERS.items()]


def _tried(opened: Callable[[], AbstractContextManager[_Organisation]]) -> list[str]:
    with opened() as organisation:
        return try_server(organisation.base_url, TOKEN, _ORGANISATION, organisation, SkolonProfile.ASSUMED)


def _users() -> list[dict[str, Any]]:
    return [made_up_user(number) for number in range(USERS)]


def _of_process(server: ForeignServer) -> _Organisation:
    return _Organisation(base_url=server.base_url, read=server.users)


@contextmanager
def _scim2_server() -> Iterator[_Organisation]:
    stand_in = SkolonStandIn({_ORGANISATION: _users()}, bearer_token=TOKEN)

    def read() -> dict[str, dict[str, Any]]:
        found = {user["id"]: stand_in.user(_ORGANISATION, user["id"]) for user in _users()}
        return {user_id: document for user_id, document in found.items() if document is not None}

    with serve(stand_in.application, threads=4) as served:
        yield _Organisation(base_url=f"{served.url}/{{organisation}}/scim/v2", read=read)


@contextmanager
def _scimmy() -> Iterator[_Organisation]:
    with scimmy(_users()) as server:
        yield _of_process(server)


@contextmanager
def _scimmy_as_it_is() -> Iterator[_Organisation]:
    with scimmy(_users(), searches_lists=False, searches_extensions=False) as server:
        yield _of_process(server)


@contextmanager
def _django_scim2() -> Iterator[_Organisation]:
    with django_scim2(_users()) as server:
        yield _of_process(server)


_SERVERS: Final[dict[str, Callable[[], AbstractContextManager[_Organisation]]]] = {
    "scim2-server": _scim2_server,
    "SCIMMY, given users in a form that its filter can search": _scimmy,
    "SCIMMY as it is": _scimmy_as_it_is,
    "django-scim2": _django_scim2,
}
