"""Each implementation of `SkolonClient`, with a Skolon of its own to talk to.

A new client joins here: the tests of this folder hold it to all that the sync relies on.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.scim import read_user
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault
from schemas.errors import Dependency, HaltError, TransientError, UpdateSyncError
from schemas.outcomes import Cause
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION
from tests.contract.clients.skolon.interface.memory_client import MemorySkolon, MemorySkolonClient, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from clients.skolon.interface import SkolonClient

Values = dict[Attribute, str]
#: Users by id, of each organisation.
Organisations = dict[str, dict[str, Values]]

BEARER: Final = "made-up-token"


class Failure(StrEnum):
    """What Skolon answers every request with."""

    AWAY = "away"
    THROTTLED = "asks to be left alone for seven seconds"
    CREDENTIALS = "does not take the credentials"
    PERMISSION = "does not give the right"


class World(Protocol):
    """A client, and the Skolon behind it as the test sees it."""

    client: SkolonClient

    def values(self, user_id: str) -> Values | None:
        """Return what Skolon has of a user of `exempel`, None when there is none."""

    def change_behind(self, user_id: str) -> None:
        """Have another program change the user."""

    def fail(self, failure: Failure) -> None:
        """Answer every request with a failure from now on."""

    def refuse(self, user_id: str, status: int) -> None:
        """Refuse updates of one user: 400 for a value that is not accepted, 409 for one that is taken."""


class ScimWorld:
    """The SCIM client at the stand-in."""

    _STATUS: Final = {
        Failure.AWAY: 503,
        Failure.THROTTLED: 429,
        Failure.CREDENTIALS: 401,
        Failure.PERMISSION: 403,
    }

    def __init__(self, url: str, stand_in: SkolonStandIn) -> None:
        self.client: SkolonClient = ScimSkolonClient(
            url=f"{url}/{{organisation}}/scim/v2", token=StaticToken(BEARER)
        )
        self._stand_in = stand_in

    def values(self, user_id: str) -> Values | None:
        document = self._stand_in.user("exempel", user_id)
        if document is None:
            return None
        return {name: value for name, value in read_user(document).attributes.items() if value is not None}

    def change_behind(self, user_id: str) -> None:
        self._stand_in.change_behind("exempel", user_id)

    def fail(self, failure: Failure) -> None:
        after = "7" if failure is Failure.THROTTLED else None
        self._stand_in.faults.add(
            Fault(kind="status", times=None, status=self._STATUS[failure], retry_after=after)
        )

    def refuse(self, user_id: str, status: int) -> None:
        self._stand_in.faults.add(
            Fault(kind="status", times=None, method="PATCH", user_id=user_id, status=status)
        )


class MemoryWorld:
    """The client without SCIM and HTTP, at a Skolon in memory."""

    _ERRORS: Final[dict[Failure, Callable[[], UpdateSyncError]]] = {
        Failure.AWAY: lambda: TransientError(Dependency.SKOLON, "away"),
        Failure.THROTTLED: lambda: TransientError(Dependency.SKOLON, "too many", retry_after=7.0),
        Failure.CREDENTIALS: lambda: HaltError(Cause.SKOLON_CREDENTIALS, "unknown token"),
        Failure.PERMISSION: lambda: HaltError(Cause.SKOLON_PERMISSION, "no right"),
    }

    def __init__(self, organisations: Organisations) -> None:
        self._skolon = MemorySkolon(
            {
                organisation: {user_id: Person(dict(values)) for user_id, values in users.items()}
                for organisation, users in organisations.items()
            }
        )
        self.client: SkolonClient = MemorySkolonClient(self._skolon)

    def values(self, user_id: str) -> Values | None:
        person = self._skolon.organisations["exempel"].get(user_id)
        return None if person is None else dict(person.values)

    def change_behind(self, user_id: str) -> None:
        self._skolon.organisations["exempel"][user_id].revision += 1

    def fail(self, failure: Failure) -> None:
        self._skolon.errors.append(self._ERRORS[failure]())

    def refuse(self, user_id: str, status: int) -> None:
        self._skolon.refused[user_id] = status


@contextmanager
def scim_world(organisations: Organisations) -> Iterator[World]:
    """Give the SCIM client, and the stand-in with these users."""
    documents = {
        organisation: [_document(user_id, values) for user_id, values in users.items()]
        for organisation, users in organisations.items()
    }
    stand_in = SkolonStandIn(documents, bearer_token=BEARER)
    with serve(stand_in.application, threads=8) as served:
        yield ScimWorld(served.url, stand_in)


@contextmanager
def memory_world(organisations: Organisations) -> Iterator[World]:
    """Give the client in memory."""
    yield MemoryWorld(organisations)


IMPLEMENTATIONS: Final[Mapping[str, Callable[[Organisations], AbstractContextManager[World]]]] = {
    "SCIM": scim_world,
    "without SCIM": memory_world,
}


def _document(user_id: str, values: Values) -> dict[str, object]:
    return {
        "id": user_id,
        "externalId": values.get(Attribute.EXTERNAL_ID),
        "userName": values.get(Attribute.USER_NAME),
        "name": {
            "givenName": values.get(Attribute.FIRST_NAME),
            "familyName": values.get(Attribute.LAST_NAME),
        },
        "emails": [{"type": "work", "value": values[Attribute.EMAIL]}] if Attribute.EMAIL in values else [],
        SKOLON_EXTENSION: {
            "eppn": values.get(Attribute.EPPN),
            "idpIdentifier": values.get(Attribute.IDP_IDENTIFIER),
            "ssn": values.get(Attribute.SSN),
        },
    }
