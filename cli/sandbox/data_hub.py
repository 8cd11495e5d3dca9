"""The Data Hub over the made-up municipality, in this process and already signed in."""

from __future__ import annotations

import datetime as dt
import socket
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

from administration.hub.sign_in import SignIn
from cli.hub.entra import entra_sign_in
from cli.notifications.senders import open_senders
from cli.output import echo
from cli.sandbox.in_process_sync import in_process_sync
from clients.gateways import PAGE_TIMEOUT, create_gateways
from hub.access import SESSION_COOKIE
from hub.app import create_app
from hub.services import HubServices
from sandbox.environment import HUB_PEOPLE, OPERATOR_DIRECTORY, TENANT_KEY
from sandbox.serving import HOST, serve
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.cookie_keys import cookie_keys
from schemas.crypto.encryption import FieldCipher
from schemas.hub.member import Role
from schemas.settings import PREFIX, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from administration.hub.entra_sign_in import EntraSignIn
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from schemas.settings import Settings


def show_hub(made_up: Environment, folder: Path) -> None:
    """Open the Data Hub, make a run that can be watched there, and serve until a signal ends it."""
    with in_process_sync(made_up, TENANT_KEY, folder) as sync, _serving(made_up, sync) as url:
        echo(
            f"The Data Hub is at {url}/",
            f"You are signed in, and watch {made_up.municipality.size} made-up people being synced. "
            "Ctrl-C ends it.",
            "Sign out there to try Entra's stand-in, whose certificate your browser does not know.",
            *_names_to_look_up(made_up),
        )
        sys.stdout.flush()
        sync.run()
        threading.Event().wait()


def _names_to_look_up(made_up: Environment) -> list[str]:
    """Return made-up names to try the look-up of a user with, one for each of three outcomes."""
    by_outcome = {user.outcome: user.entra["displayName"] for user in made_up.municipality}
    names = [by_outcome[each] for each in ("updated", "unchanged", "dead_lettered") if each in by_outcome]
    return [f"Names to look up there: {', '.join(names)}."] if names else []


@contextmanager
def _serving(made_up: Environment, sync: InProcessSync) -> Iterator[str]:
    store, keys = sync.store, sync.settings.secret_keys
    sign_in = SignIn(store, BlindIndex(keys))
    port = load_settings(()).hub_port or _free_port()
    app = create_app(
        HubServices(
            store=store,
            sign_in=sign_in,
            entra=_entra(made_up, sync, sign_in, f"http://{HOST}:{port}"),
            cookie_keys=cookie_keys(keys),
            # Of its own: a service that is away is told at once, and not waited for as the run does.
            gateways=create_gateways(sync.settings, seconds=PAGE_TIMEOUT),
            secret_keys=keys,
            broker=sync.broker,
            senders=open_senders(_with_mail(sync.settings, f"http://{HOST}:{port}"), store),
        )
    )
    member = store.hub_members.add("Sandbox", Role.OPERATOR)
    # Only for browsers on this machine, whatever the setting of the host says: no password protects it.
    with serve(_SignedIn(app.wsgi_app, sign_in, member.id), port=port) as server:
        yield server.url


def _with_mail(settings: Settings, url: str) -> Settings:
    """Return settings with what the environment says of mail and webhooks: the rest is the stand-ins'."""
    own = load_settings(())
    return replace(
        settings,
        smtp_url=own.smtp_url,
        mail_from=own.mail_from,
        webhook_networks=own.webhook_networks,
        hub_url=url,
    )


def _entra(made_up: Environment, sync: InProcessSync, sign_in: SignIn, url: str) -> EntraSignIn | None:
    """Return the sign-in by the stand-in for Entra; its people are members already, all but the last one."""
    for person in HUB_PEOPLE[:-1]:
        tenants = () if person.directory == OPERATOR_DIRECTORY else (TENANT_KEY,)
        member = sync.store.hub_members.add(person.title, Role.READER, tenants)
        sync.store.hub_members.set_account(member.id, person.directory, person.object_id)
    variables: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value for name, value in made_up.hub_variables.items()
    }
    settings = replace(sync.settings, hub_url=url, **variables)
    return entra_sign_in(settings, sync.store, sign_in, FieldCipher(settings.secret_keys))


class _SignedIn:
    """Gives each request that has no session one of a member, until its browser signs out."""

    def __init__(self, app: WSGIApplication, sign_in: SignIn, member: int) -> None:
        self._app = app
        self._sign_in = sign_in
        self._member = member
        self._token = sign_in.start_session(member)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        cookies = environ.get("HTTP_COOKIE", "")
        if not self._is_session(cookies):
            if self._sign_in.member_of(self._token, dt.datetime.now(dt.UTC)) is None:
                self._token = self._sign_in.start_session(self._member)
            environ["HTTP_COOKIE"] = f"{SESSION_COOKIE}={self._token}; {cookies}".rstrip("; ")
        if environ.get("PATH_INFO", "").startswith("/sign-out"):
            start_response = _stays_signed_out(start_response)
        return self._app(environ, start_response)

    def _is_session(self, cookies: Any) -> bool:
        try:
            return SESSION_COOKIE in SimpleCookie(cookies)
        except CookieError:
            return False


def _stays_signed_out(start_response: StartResponse) -> StartResponse:
    """Have the browser keep a session that is none, in place of no session."""

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        cookie = f"{SESSION_COOKIE}=signed-out; Path=/; HttpOnly; SameSite=Lax"
        return start_response(status, [*headers, ("Set-Cookie", cookie)], *rest)

    return start


def _free_port() -> int:
    """Return a port that is free now: the address must be known before the server stands."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])
