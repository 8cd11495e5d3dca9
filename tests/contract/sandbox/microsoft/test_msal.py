"""Microsoft's own token library gets tokens, and refusals, from the stand-in."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import msal
import pytest
import requests

from sandbox.microsoft.entra import TOKEN_SECONDS
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from tests.certificates import MadeCertificate, make_certificate
from tests.contract.sandbox.microsoft.graph_server import CLIENT, SECRET, TENANT, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPES = ["https://graph.microsoft.com/.default"]


@pytest.fixture
def tenant() -> Iterator[Running]:
    with running() as run:
        yield run


def application(
    run: Running, *, secret: str | dict[str, str] = SECRET, client: str = CLIENT, tenant: str = TENANT
) -> msal.ConfidentialClientApplication:
    run.session.verify = run.authority
    return msal.ConfidentialClientApplication(
        client,
        client_credential=secret,
        authority=f"{run.url}/{tenant}",
        instance_discovery=False,
        http_client=run.session,
    )


def test_gets_a_token(tenant: Running) -> None:
    """A token comes, Graph takes it, and the library keeps it for the next call."""
    app = application(tenant)
    result: dict[str, Any] = app.acquire_token_for_client(SCOPES)
    assert result["token_type"] == "Bearer"  # noqa: S105 - a scheme, no password
    assert tenant.get("/users", token=result["access_token"]).status_code == 200
    app.acquire_token_for_client(SCOPES)
    assert tenant.standin.requests.counts()["token"] == 1


def test_gets_a_token_by_a_certificate(tenant: Running) -> None:
    """With the certificate that was uploaded for the app; with another one, or before, it is refused."""
    made, other = make_certificate(), make_certificate()

    def by(used: MadeCertificate, client: str = CLIENT) -> dict[str, Any]:
        credential = {"private_key": used.key, "public_certificate": used.certificate}
        result: dict[str, Any] = application(
            tenant, secret=credential, client=client
        ).acquire_token_for_client(SCOPES)
        return result

    assert by(made)["error_codes"] == [700027]
    tenant.standin.entra.change(TENANT, CLIENT, certificate=made.certificate)
    assert tenant.get("/users", token=by(made)["access_token"]).status_code == 200
    assert (by(other)["error"], by(other)["error_codes"]) == ("invalid_client", [700027])
    forged = MadeCertificate(key=other.key, certificate=made.certificate, expires=made.expires)
    assert by(forged)["error_codes"] == [700027]
    assert by(made, client=TENANT)["error_codes"] == [700016]


@pytest.mark.parametrize(
    ("client", "secret", "expired", "error", "number"),
    [
        (CLIENT, "wrong", False, "invalid_client", 7000215),
        (CLIENT, SECRET, True, "invalid_client", 7000222),
        (TENANT, SECRET, False, "unauthorized_client", 700016),
    ],
)
def test_refusals(  # noqa: PLR0913 - a row of a table
    *, tenant: Running, client: str, secret: str, expired: bool, error: str, number: int
) -> None:
    """What is wrong with the credentials comes as a dict, with Entra's error and number."""
    tenant.standin.entra.change(TENANT, CLIENT, secret_expired=expired)
    result = application(tenant, client=client, secret=secret).acquire_token_for_client(SCOPES)
    assert (result["error"], result["error_codes"]) == (error, [number])
    assert result["error_description"].startswith(f"AADSTS{number}: ")
    assert result["correlation_id"]


def test_unknown_tenant(tenant: Running) -> None:
    """The library can't even be made for a tenant that does not exist; the endpoint says 90002."""
    nobody = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(ValueError, match="tenant"):
        application(tenant, tenant=nobody)
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
    answer = tenant.call("POST", f"/{nobody}/oauth2/v2.0/token", data=form)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_outage_raises(tenant: Running) -> None:
    """A 5xx of the token endpoint raises in the library, as with the real one."""
    app = application(tenant)
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.TOKEN, status=503))
    with pytest.raises((requests.HTTPError, msal.exceptions.MsalServiceError)):
        app.acquire_token_for_client(SCOPES)


def test_claims_challenge(tenant: Running) -> None:
    """A challenge is met by a token that was got with its claims, and by no other."""
    app = application(tenant)
    token = app.acquire_token_for_client(SCOPES)["access_token"]
    tenant.standin.entra.change(TENANT, CLIENT, claims_demanded=True)
    refused = tenant.get("/users", token=token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    found = re.search(r'claims="([^"]+)"', challenge)
    assert found
    claims = base64.b64decode(found[1]).decode()
    better = app.acquire_token_for_client(SCOPES, claims_challenge=claims)["access_token"]
    assert tenant.get("/users", token=better).status_code == 200
    assert tenant.get("/users", token=tenant.token()).status_code == 401


def test_tokens_end(tenant: Running) -> None:
    """A token is refused when its time is up, and when it has been revoked."""
    old = tenant.token()
    tenant.clock.now += TOKEN_SECONDS
    assert tenant.get("/users", token=old).status_code == 401
    revoked = tenant.token()
    tenant.standin.entra.revoke_tokens(TENANT)
    assert tenant.get("/users", token=revoked).status_code == 401
    assert tenant.get("/users", token=tenant.token()).status_code == 200


def test_new_secret(tenant: Running) -> None:
    """After a change of secret the new one is taken and the old one is not."""
    tenant.standin.entra.change(TENANT, CLIENT, client_secret="another")  # noqa: S106 - made up
    assert "access_token" in application(tenant, secret="another").acquire_token_for_client(SCOPES)  # noqa: S106 - made up
    assert "error" in application(tenant).acquire_token_for_client(SCOPES)
