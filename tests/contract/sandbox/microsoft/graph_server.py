"""What the tests of the Graph stand-in share: a small made-up tenant, served over TLS."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from sandbox.certificates import temporary_certificate
from sandbox.microsoft.apps import App
from sandbox.microsoft.directory import Directory
from sandbox.microsoft.standin import MicrosoftStandIn
from sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = "6a1c0c3e-0000-4000-8000-00000000aaaa"
CLIENT = "c11e0000-0000-4000-8000-00000000bbbb"
SECRET = "made-up~secret+value"  # noqa: S105 - made up, opens the stand-in alone
BORN = "2012-05-17T00:00:00Z"


def user_id(number: int) -> str:
    return str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))


def user(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": user_id(number),
        "userPrincipalName": f"p{number}@exempelkommun.example",
        "givenName": f"Förnamn{number}",
        "surname": "Ågren",
        "mail": None,
        "city": "Exempelstad",
        "otherMails": [f"o{number}@exempel.example"],
        "onPremisesExtensionAttributes": {"extensionAttribute1": "121212-1212"},
        "accountEnabled": True,
        "userType": "Member",
        **({"birthday": BORN} if number % 2 else {}),
        **properties,
    }


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Running:
    """A stand-in that answers at ``url``, and plain HTTP calls of it."""

    standin: MicrosoftStandIn
    directory: Directory
    clock: Clock
    url: str
    authority: str
    session: requests.Session

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        address = url if url.startswith("https:") else self.url + url
        return self.session.request(method, address, verify=self.authority, timeout=10, **options)

    def token(self, *, secret: str = SECRET, claims: str | None = None) -> str:
        form = {
            "client_id": CLIENT,
            "client_secret": secret,
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = self.call(
            "POST", f"/{TENANT}/oauth2/v2.0/token", data={**form, **({"claims": claims} if claims else {})}
        )
        return str(answer.json()["access_token"])

    def get(self, url: str, *, token: str | None = None, **headers: str) -> requests.Response:
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call(
            "GET", url if url.startswith("https:") else f"/v1.0{url}", headers={**bearer, **named}
        )

    def pages(self, url: str, **headers: str) -> list[dict[str, Any]]:
        token = self.token()
        found: list[dict[str, Any]] = []
        following: str | None = url
        while following is not None:
            answer = self.get(following, token=token, **headers)
            assert answer.status_code == 200, answer.text
            found.append(answer.json())
            following = found[-1].get("@odata.nextLink")
        return found


@contextlib.contextmanager
def running(people: int = 7) -> Iterator[Running]:
    directory = Directory(user(number) for number in range(people))
    clock = Clock()
    standin = MicrosoftStandIn(
        {TENANT: directory}, [App(tenant=TENANT, client_id=CLIENT, client_secret=SECRET)], clock=clock
    )
    with temporary_certificate() as certificate, requests.Session() as session:
        session.trust_env = False
        with serve(standin, certificate=certificate, threads=4) as server:
            yield Running(
                standin=standin,
                directory=directory,
                clock=clock,
                url=server.url,
                authority=str(certificate.authority),
                session=session,
            )
