"""The sync as a plain script: requests, a mapping in plain code, a search, a comparison, a PATCH.

The script is a fair baseline: one search for all four keys, sessions that reuse connections, `If-Match`. It
stores no results, survives no fault, validates no value and handles no edge case.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The environment variable that holds the job, as JSON.
JOB_VARIABLE: Final = "BENCH_JOB"

_EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"
_SELECT: Final = (
    "id,userPrincipalName,mail,otherMails,onPremisesImmutableId,givenName,surname,"
    "city,streetAddress,postalCode,mobilePhone"
)
_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Job:
    """The addresses of Entra, Graph and Skolon, and the tenant."""

    graph_url: str
    entra_url: str
    skolon_url: str
    authority: str
    directory: str

    def as_text(self) -> str:
        """Return the job as environment variables."""
        return json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> Self:
        """Read the job from the environment."""
        return cls(**json.loads(os.environ[JOB_VARIABLE]))


def entra_users(job: Job) -> Iterator[dict[str, Any]]:
    """Yield all users in the tenant's directory."""
    session = requests.Session()
    token = session.post(
        f"{job.entra_url}/{job.directory}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "client_id": "bench", "client_secret": "secret"},
        verify=job.authority,
        timeout=_SECONDS,
    ).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    url: str | None = f"{job.graph_url}/v1.0/users?$select={_SELECT}&$top=999"
    while url:
        answer = session.get(url, timeout=_SECONDS)
        answer.raise_for_status()
        page = answer.json()
        yield from page["value"]
        url = page.get("@odata.nextLink")


def skolon_session() -> requests.Session:
    """Return a session that is authenticated at Skolon, for one thread."""
    session = requests.Session()
    session.headers.update({"Authorization": "Bearer bench-token", "Accept": "application/scim+json"})
    return session


def sync_user(session: requests.Session, job: Job, user: dict[str, Any]) -> None:
    """Find one user in Skolon, and change the attributes that differ."""
    mail = user["mail"] or next(iter(user["otherMails"]), None)
    name = user["userPrincipalName"] or mail
    keys = {"externalId": user["id"], f"{_EXTENSION}:eppn": mail, "userName": name, "emails.value": mail}
    terms = " or ".join(f"{path} eq {json.dumps(value)}" for path, value in keys.items() if value)
    answer = session.get(f"{job.skolon_url}/Users", params={"filter": terms}, timeout=_SECONDS)
    answer.raise_for_status()
    found = answer.json()["Resources"]
    if len(found) != 1:
        return
    held = found[0]
    operations = [
        {"op": "replace", "path": path, "value": value}
        for path, value, now in _compared(user, held, mail, name)
        if value and value != now
    ]
    if operations:
        session.patch(
            f"{job.skolon_url}/Users/{held['id']}",
            json={"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations},
            headers={"If-Match": held["meta"]["version"], "Content-Type": "application/scim+json"},
            timeout=_SECONDS,
        ).raise_for_status()


def _compared(
    user: dict[str, Any], held: dict[str, Any], mail: str | None, name: str | None
) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each attribute's path, its wanted value and its present value."""
    extension = held.get(_EXTENSION, {})
    home = _entry(held, "addresses", "home")
    yield "externalId", user["id"], held.get("externalId")
    yield "userName", name, held.get("userName")
    yield f"{_EXTENSION}:eppn", mail, extension.get("eppn")
    yield f"{_EXTENSION}:idpIdentifier", name, extension.get("idpIdentifier")
    yield "name.givenName", user["givenName"], held["name"].get("givenName")
    yield "name.familyName", user["surname"], held["name"].get("familyName")
    yield 'emails[type eq "work"].value', mail, _entry(held, "emails", "work").get("value")
    for kind in ("home", "mobile"):
        number = _entry(held, "phoneNumbers", kind).get("value")
        yield f'phoneNumbers[type eq "{kind}"].value', user["mobilePhone"], number
    yield 'addresses[type eq "home"].locality', user["city"], home.get("locality")
    yield 'addresses[type eq "home"].streetAddress', user["streetAddress"], home.get("streetAddress")
    yield 'addresses[type eq "home"].postalCode', user["postalCode"], home.get("postalCode")


def _entry(held: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    return next((entry for entry in held.get(name, []) if entry["type"] == kind), {})
