"""Several municipalities on one Skolon, of which some organisations are broken, each in its own way."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from devtools.commands import command_environment, wait_for
from queues.brokers.factory import open_broker
from queues.message import tenant_sync_message
from sandbox.certificates import make_certificate
from sandbox.microsoft.apps import App
from sandbox.microsoft.directory import Directory
from sandbox.microsoft.standin import MicrosoftStandIn
from sandbox.municipality.municipality import Municipality
from sandbox.municipality.tenant import tenant_settings
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault
from schemas.crypto.encryption import FieldCipher
from schemas.messages.messages import SyncRequest
from schemas.outcomes import OPEN_STATUSES
from schemas.tenants.tenant import load_tenant
from store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from queues.brokers.rabbitmq import QuorumBroker
    from schemas.runs.run import RunSummary

#: Ways in which an organisation answers every request badly.
BROKEN: Final[Mapping[str, Fault]] = {
    "unavailable": Fault(kind="status", status=503, times=None),
    "nowhere": Fault(kind="html", status=404, times=None),
    "unknown": Fault(kind="status", status=501, times=None),
}
#: And two more: its users cannot be read, or it never answers at all.
MALFORMED: Final = "malformed"
HANGING: Final = "hanging"

_SECRET: Final = "made-up-secret"  # noqa: S105 - made up
_TOKEN: Final = "made-up-token"  # noqa: S105 - made up
#: Requests that the stand-in has under way at once: those that hang must not hold up the others there.
_THREADS: Final = 600


@dataclass(frozen=True, kw_only=True)
class Organisations:
    """The stand-ins while they are served, and the environment that the product's commands need."""

    skolon: SkolonStandIn
    municipalities: Mapping[str, Municipality]
    env: dict[str, str]
    store: Store
    broker: QuorumBroker
    #: How often an organisation was asked.
    asked: Callable[[str], int]
    #: Skolon users whose `userName` is a list, and values over which a firewall refuses a request.
    malformed: set[str]
    blocked: set[str]
    #: Answer all requests that hang, so that whoever waits for them can end.
    release: Callable[[], None]

    def trigger(self, key: str) -> int:
        """Trigger a tenant's run; return its number once it is there."""
        self.broker.publish([tenant_sync_message(SyncRequest(tenant=key), event_id=f"of {key}")])

        def run() -> int | None:
            runs = self.store.runs.list(key)
            return runs[0].run.id if runs else None

        return wait_for(run, f"a run of {key}")


class _Doors:
    """What stands before Skolon: it counts, makes users malformed, and lets requests hang."""

    def __init__(self, skolon: SkolonStandIn, kinds: Mapping[str, str]) -> None:
        self._skolon = skolon
        self._kinds = kinds
        self._counts: dict[str, int] = {}
        self.malformed: set[str] = set()
        self.blocked: set[str] = set()
        self.is_over = threading.Event()

    def asked(self, organisation: str) -> int:
        return self._counts.get(organisation, 0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        organisation = Request(environ).path.split("/")[1]
        self._counts[organisation] = self.asked(organisation) + 1
        kind = self._kinds.get(organisation)
        if kind == HANGING:
            self.is_over.wait()
        asked = Request(environ).get_data().decode() if self.blocked else ""
        environ["wsgi.input"] = BytesIO(asked.encode()) if self.blocked else environ["wsgi.input"]
        if any(value in asked for value in self.blocked):
            return Response("<h1>Forbidden</h1>", 403, mimetype="text/html")(environ, start_response)
        if kind != MALFORMED and not self.malformed:
            return self._skolon.application(environ, start_response)
        answered = Response.from_app(self._skolon.application, environ, buffered=True)
        if not answered.get_data():
            return answered(environ, start_response)
        body = json.loads(answered.get_data())
        for user in body.get("Resources", ()):
            if kind == MALFORMED or user["id"] in self.malformed:
                user["userName"] = [5]
        return Response(json.dumps(body), answered.status, mimetype=answered.mimetype)(
            environ, start_response
        )


@contextmanager
def organisations(
    folder: Path, kinds: Mapping[str, str], *, people: int, servers: Mapping[str, str]
) -> Iterator[Organisations]:
    """Serve tenants of so many people; `kinds` says of each by its key how it is broken, "" for not at all.

    `servers` are the variables that name RabbitMQ, the database and the keys. The tenants are there.
    """
    certificate = make_certificate(folder)
    municipalities = {key: Municipality(people, seed=seed) for seed, key in enumerate(kinds, 1)}
    directories = {key: f"5a9d0b0c-0000-4000-8000-{seed:012d}" for seed, key in enumerate(kinds, 1)}
    microsoft = MicrosoftStandIn(
        {directories[key]: Directory(made_up.entra_users()) for key, made_up in municipalities.items()},
        [App(tenant=each, client_id=each, client_secret=_SECRET) for each in directories.values()],
    )
    skolon = SkolonStandIn(
        {key: made_up.skolon_users() for key, made_up in municipalities.items()}, bearer_token=_TOKEN
    )
    for key, kind in kinds.items():
        if kind in BROKEN:
            fault = BROKEN[kind]
            skolon.faults.add(Fault(kind=fault.kind, status=fault.status, times=None, organisation=key))
    doors = _Doors(skolon, kinds)
    with ExitStack() as stack:
        entra = stack.enter_context(serve(microsoft, certificate=certificate)).url
        scim = stack.enter_context(serve(doors, certificate=certificate, threads=_THREADS)).url
        stack.callback(doors.is_over.set)
        env = command_environment(
            **servers,
            UPDATE_SYNC_ENTRA_AUTHORITY=entra,
            UPDATE_SYNC_GRAPH_URL=entra,
            UPDATE_SYNC_SKOLON_SCIM_URL=f"{scim}/{{organisation}}/scim/v2",
            UPDATE_SYNC_SKOLON_TOKEN=_TOKEN,
            UPDATE_SYNC_CA_BUNDLE=str(certificate.authority),
            UPDATE_SYNC_LOG_FORMAT="json",
        )
        store = Store(servers["UPDATE_SYNC_DATABASE_URL"], FieldCipher((servers["UPDATE_SYNC_SECRET_KEYS"],)))
        stack.callback(store.close)
        broker = open_broker(servers["UPDATE_SYNC_AMQP_URL"])
        stack.callback(broker.disconnect)
        store.upgrade()
        for key, directory in directories.items():
            settings = tenant_settings(
                entra_tenant_id=directory, client_id=directory, client_secret=_SECRET, organisation=key
            )
            store.tenants.add(*load_tenant(key, settings))
        yield Organisations(
            skolon=skolon,
            municipalities=municipalities,
            env=env,
            store=store,
            asked=doors.asked,
            malformed=doors.malformed,
            blocked=doors.blocked,
            release=doors.is_over.set,
            broker=broker,
        )


def completed(store: Store, run: int) -> RunSummary:
    """Wait until a run is not open any more, and return it."""

    def look() -> RunSummary | None:
        found = store.runs.summary(run)
        return None if found.run.status in OPEN_STATUSES else found

    return wait_for(look, f"the end of run {run}")
