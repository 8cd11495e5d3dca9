"""The stand-ins for Entra, Graph and Skolon together, filled with a made-up municipality."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.certificates import LOOPBACK_NAMES, make_certificate
from sandbox.microsoft.apps import App
from sandbox.microsoft.directory import Directory
from sandbox.microsoft.sign_in import Person, SignIns
from sandbox.microsoft.standin import MicrosoftStandIn
from sandbox.municipality.expectation import attributes_of, expected_users
from sandbox.municipality.municipality import Municipality
from sandbox.municipality.tenant import tenant_settings
from sandbox.serving import DEFAULT_THREADS, HOST, serve
from sandbox.skolon.application import SkolonStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path
    from wsgiref.types import WSGIApplication

#: The tenant's key, as one would give it to `tenants add`.
TENANT_KEY: Final = "exempelkommun"

_ORGANISATION: Final = "exempelkommun"
_DIRECTORY: Final = "5a9d0b0c-0000-4000-8000-00000000e4ad"
_APP: Final = "5a9d0b0c-0000-4000-8000-00000000a990"
_APP_SECRET: Final = "sandbox~entra~secret~value"  # noqa: S105 - made up, and worth nothing outside
_SKOLON_CLIENT: Final = "sandbox-update-sync"
_SKOLON_SECRET: Final = "sandbox-skolon-secret"  # noqa: S105 - as above
_HUB_APP: Final = "5a9d0b0c-0000-4000-8000-0000000004ab"
_HUB_SECRET: Final = "sandbox~hub~secret~value"  # noqa: S105 - as above
_TOKEN_PATH: Final = "/oauth/access_token"  # noqa: S105 - no secret


def _person(directory: str, number: int, title: str, role: str) -> Person:
    object_id = f"5a9d0b0c-0000-4000-8000-{number:012d}"
    return Person(directory=directory, object_id=object_id, title=title, roles=(role,))


#: The directory of the operators, and who can sign in to the Data Hub; the last one is not invited.
OPERATOR_DIRECTORY: Final = "5a9d0b0c-0000-4000-8000-00000000e9e0"
HUB_PEOPLE: Final = (
    _person(OPERATOR_DIRECTORY, 1, "An operator at Skolon", "operator"),
    _person(_DIRECTORY, 2, "An administrator of Exempelkommun", "administrator"),
    _person(_DIRECTORY, 3, "A reader at Exempelkommun", "reader"),
    _person(_DIRECTORY, 4, "An operator by the word of Exempelkommun alone", "operator"),
    _person(_DIRECTORY, 5, "A reader who is not invited", "reader"),
)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Stand-ins that are being served, and what to set so that the sync finds them."""

    municipality: Municipality
    microsoft: MicrosoftStandIn
    skolon: SkolonStandIn
    #: The variables of the environment that name the stand-ins.
    variables: dict[str, str]
    #: The variables by which people sign in to the Data Hub by the stand-in for Entra.
    hub_variables: dict[str, str]
    #: The object that `tenants add` takes.
    tenant: dict[str, Any]
    #: Further municipalities by their keys, which are their organisations too, and what to add for each.
    others: Mapping[str, Municipality]
    other_tenants: Mapping[str, dict[str, Any]]

    def skolon_user(self, user_id: str) -> dict[str, Any] | None:
        """Return one user as Skolon has it now, None when there is none."""
        return self.skolon.user(_ORGANISATION, user_id)

    def entra_user_url(self, user_id: str) -> str:
        """Return where a PATCH changes a user in Entra."""
        directory = self.tenant["entra_tenant_id"]
        return f"{self.variables['UPDATE_SYNC_GRAPH_URL']}/sandbox/directories/{directory}/users/{user_id}"

    def skolon_user_url(self, user_id: str) -> str:
        """Return where a PATCH changes a user in Skolon, without the sync."""
        server = self.variables["UPDATE_SYNC_SKOLON_TOKEN_URL"].removesuffix(_TOKEN_PATH)
        return f"{server}/control/organisations/{_ORGANISATION}/users/{user_id}"

    def skolon_users(self) -> list[dict[str, Any]]:
        """Return Skolon's present users as SCIM JSON."""
        return self.skolon.users(_ORGANISATION)

    def change_totals(self) -> int:
        """Return how many changes of users Skolon has carried out so far: it numbers their versions.

        This is less than the requested changes when Skolon refused one of two concurrent changes (412).
        """
        numbers = [int(user["meta"]["version"].strip('W/"')) for user in self.skolon_users()]
        return max(numbers) - len(numbers)

    def wrong_users(self) -> list[str]:
        """Return the ids of Skolon users that are not as the municipality's own expectation has them.

        Where several states are right (two users claim one user) any of them is.
        """
        return _wrong(self.municipality, self.tenant, self.skolon_users(), frozenset())

    def wrong_users_of(self, key: str, unfinished: Collection[str]) -> list[str]:
        """Return the same for another municipality; of users who are `unfinished` both states are right."""
        users = self.skolon.users(key)
        return _wrong(self.others[key], self.other_tenants[key], users, unfinished)


def _wrong(
    municipality: Municipality,
    tenant: dict[str, Any],
    users: list[dict[str, Any]],
    unfinished: Collection[str],
) -> list[str]:
    expected = expected_users(municipality, tenant)
    claimed = {person.claims for person in municipality if person.entra["id"] in unfinished}
    for user in municipality.skolon_users():
        if user["id"] in claimed:
            expected[user["id"]].append(attributes_of(user))
    held = {user["id"]: attributes_of(user) for user in users}
    wrong = [user for user, states in expected.items() if held.get(user) not in states]
    return sorted({*wrong, *(held.keys() - expected.keys())})


@dataclass(frozen=True, kw_only=True)
class BindAddress:
    """Where the stand-ins are served: on loopback and free ports, unless a container wants otherwise.

    `host` is the address to listen on, `name` what others call it, `ports` are Microsoft's and
    Skolon's, 0 for a free one.
    """

    host: str = HOST
    name: str = HOST
    ports: tuple[int, int] = (0, 0)


_LOOPBACK: Final = BindAddress()


#: No other municipality.
_ALONE: Final[Mapping[str, Municipality]] = {}


def _as_it_is(application: WSGIApplication) -> WSGIApplication:
    return application


@contextmanager
def serve_environment(  # noqa: PLR0913 - each is a choice of its own, by name
    folder: Path,
    *,
    users: int,
    seed: int = 1,
    bind: BindAddress = _LOOPBACK,
    others: Mapping[str, Municipality] = _ALONE,
    threads: int = DEFAULT_THREADS,
    around: Callable[[WSGIApplication], WSGIApplication] = _as_it_is,
) -> Iterator[Environment]:
    """Serve the stand-ins over TLS until the block ends; `folder` takes the throw-away certificate.

    `others` are further municipalities by their keys, each with a directory and an organisation of its own.
    `threads` is the number of requests that each of the two can have under way. `around` may put something
    of the caller's between the server and each of the two applications.
    """
    # One list of names: the certificate is good for them, and Entra gives tokens for Graph at them.
    names = tuple(dict.fromkeys((*LOOPBACK_NAMES, bind.name)))
    certificate = make_certificate(folder, *names)
    municipality = Municipality(users, seed=seed)
    directories = {
        _DIRECTORY: municipality,
        **{_directory(number): other for number, other in enumerate(others.values())},
    }
    microsoft = MicrosoftStandIn(
        {directory: Directory(each.entra_users()) for directory, each in directories.items()},
        [App(tenant=directory, client_id=_APP, client_secret=_APP_SECRET) for directory in directories],
        names=names,
        sign_ins=SignIns(client_id=_HUB_APP, client_secret=_HUB_SECRET, people=HUB_PEOPLE, clock=time.time),
    )
    organisations = {_ORGANISATION: municipality, **others}
    skolon = SkolonStandIn(
        {organisation: each.skolon_users() for organisation, each in organisations.items()},
        client_id=_SKOLON_CLIENT,
        client_secret=_SKOLON_SECRET,
    )
    with ExitStack() as stack:
        applications: tuple[WSGIApplication, ...] = (microsoft, skolon.application)
        ports = [
            stack.enter_context(
                serve(around(app), host=bind.host, port=port, certificate=certificate, threads=threads)
            ).port
            for app, port in zip(applications, bind.ports, strict=True)
        ]
        entra, scim = (f"https://{bind.name}:{port}" for port in ports)
        yield Environment(
            municipality=municipality,
            microsoft=microsoft,
            skolon=skolon,
            variables={
                "UPDATE_SYNC_ENTRA_AUTHORITY": entra,
                "UPDATE_SYNC_GRAPH_URL": entra,
                "UPDATE_SYNC_SKOLON_SCIM_URL": f"{scim}/{{organisation}}/scim/v2",
                "UPDATE_SYNC_SKOLON_TOKEN_URL": f"{scim}{_TOKEN_PATH}",
                "UPDATE_SYNC_SKOLON_CLIENT_ID": _SKOLON_CLIENT,
                "UPDATE_SYNC_SKOLON_CLIENT_SECRET": _SKOLON_SECRET,
                "UPDATE_SYNC_CA_BUNDLE": str(certificate.authority),
            },
            hub_variables={
                "UPDATE_SYNC_HUB_ENTRA_AUTHORITY": f"{entra}/organizations",
                "UPDATE_SYNC_HUB_CLIENT_ID": _HUB_APP,
                "UPDATE_SYNC_HUB_CLIENT_SECRET": _HUB_SECRET,
                "UPDATE_SYNC_HUB_OPERATOR_DIRECTORY": OPERATOR_DIRECTORY,
            },
            tenant=_settings(_DIRECTORY, _ORGANISATION),
            others=others,
            other_tenants={key: _settings(_directory(number), key) for number, key in enumerate(others)},
        )


def _directory(number: int) -> str:
    return f"5a9d0b0c-0000-4000-8000-{number:012d}"


def _settings(directory: str, organisation: str) -> dict[str, Any]:
    return tenant_settings(
        entra_tenant_id=directory,
        client_id=_APP,
        client_secret=_APP_SECRET,
        organisation=organisation,
    )
