"""The product's commands, and a server of each kind of oddity as an organisation of its own."""

from __future__ import annotations

import copy
import json
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from devtools.commands import command_environment, running, update_sync
from devtools.odd_servers.assessment import Round, assess
from devtools.odd_servers.organisation import OddOrganisation, odd_organisation
from sandbox.environment import Environment, serve_environment
from sandbox.municipality.municipality import Municipality
from schemas.crypto.encryption import new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    import psycopg

    from devtools.odd_servers.oddities import Oddities

#: Seconds for a run to end. A server whose answers cannot be read halts its run after three minutes of them.
PATIENCE: Final = 420.0
_POLL_INTERVAL: Final = 0.5

_LAST_RUN: Final = """
SELECT runs.id, status, cause FROM runs JOIN tenants ON tenants.id = tenant_id
WHERE key = %s ORDER BY runs.id DESC LIMIT 1
"""
_OUTCOMES: Final = "SELECT entra_id, outcome, altered_attributes FROM receipts WHERE run_id = %s"


class OddServers:
    """Organisations by their names, put in front of the stand-ins' own."""

    def __init__(self, organisations: Mapping[str, OddOrganisation]) -> None:
        self.organisations = organisations

    def around(self, application: WSGIApplication) -> WSGIApplication:
        """Return an application that answers for these organisations, and `application` for the others."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            match str(environ.get("PATH_INFO", "")).strip("/").split("/"):
                case [name, "scim", "v2", *rest] if name in self.organisations:
                    return self.organisations[name](environ, start_response, rest)
            return application(environ, start_response)

        return answer


@dataclass(frozen=True, kw_only=True)
class OddEnvironment:
    """The system under test with all its organisations."""

    stand_ins: Environment
    odd: OddServers
    municipality: Municipality
    env: dict[str, str]
    connect: Callable[[], psycopg.Connection]

    def try_server(self, key: str) -> Round:
        """Run the tenant of an organisation twice, and return the report."""
        organisation = self.odd.organisations[key]
        before = copy.deepcopy(organisation.documents)
        tenant = self.stand_ins.other_tenants[key]

        def run() -> Round:
            rows, ended = self._run(key)
            return assess(
                organisation.oddities,
                self.municipality,
                tenant,
                before=before,
                after=organisation.documents,
                outcomes={user: outcome for user, outcome, _ in rows},
                altered={user: altered for user, _, altered in rows if altered},
                ended=ended,
            )

        first = run()
        if first.ended == "completed":
            patched = organisation.patches
            first.add_second(run(), patches=organisation.patches - patched)
        return first

    def _run(self, key: str) -> tuple[list[tuple[str, str, list[str] | None]], str]:
        """Have a run of a tenant; return what became of its users, and how it ended."""
        with self.connect() as connection:
            last = connection.execute(_LAST_RUN, (key,)).fetchone()
            done = update_sync("trigger", key, "--recheck-all", env=self.env)
            if done.returncode:
                raise RuntimeError(f"{key} was not triggered: {done.stderr}")
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                time.sleep(_POLL_INTERVAL)
                run = connection.execute(_LAST_RUN, (key,)).fetchone()
                if run is None or run == last or run[1] in ("reading", "updating"):
                    continue
                rows = connection.execute(_OUTCOMES, (run[0],)).fetchall()
                return rows, f"halted: {run[2]}" if run[1] == "halted" else str(run[1])
        return [], "not ended"


@contextmanager
def odd_environment(  # noqa: PLR0913 - each is a choice of its own, by name
    folder: Path,
    kinds: Sequence[Oddities],
    *,
    users: int,
    amqp_url: str,
    database_url: str,
    connect: Callable[[str], psycopg.Connection],
) -> Iterator[OddEnvironment]:
    """Start everything; the organisation of each kind of oddities has the name that `key_of` gives.

    The virtual host is empty, and the database has its tables. `connect` opens a connection to a database.
    """
    municipality = Municipality(users)
    organisations = {
        key_of(place): odd_organisation(municipality, oddities) for place, oddities in enumerate(kinds)
    }
    odd = OddServers(organisations)
    world = folder / "world"
    world.mkdir(parents=True)
    with ExitStack() as stack:
        stand_ins = stack.enter_context(
            serve_environment(
                world, users=1, others=dict.fromkeys(organisations, municipality), around=odd.around
            )
        )
        env = command_environment(
            **stand_ins.variables,
            UPDATE_SYNC_AMQP_URL=amqp_url,
            UPDATE_SYNC_DATABASE_URL=database_url,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
            UPDATE_SYNC_LOG_FORMAT="json",
        )
        for key in organisations:
            settings = json.dumps(stand_ins.other_tenants[key])
            added = update_sync("tenants", "add", key, "--from", "-", env=env, stdin=settings)
            if added.returncode:
                raise RuntimeError(f"the tenant was not added: {added.stderr}")
        for command in (("producer",), ("worker", "--processes", "1")):
            stack.enter_context(running(*command, env=env, log=folder / f"{command[0]}.log"))
        yield OddEnvironment(
            stand_ins=stand_ins,
            odd=odd,
            municipality=municipality,
            env=env,
            connect=lambda: connect(database_url),
        )


def key_of(place: int) -> str:
    """Return the tenant's key, which is its organisation's name too."""
    return f"server-{place + 1}"
