"""Times the Data Hub's pages over a large database and over a nearly empty one."""

from __future__ import annotations

import json
import re
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from statistics import median
from typing import TYPE_CHECKING, Final

import requests

from bench.benchmarks.figure import Figure, Group
from bench.environment import product_environment
from bench.measures import BenchError
from bench.stubs.users import Population
from devtools.commands import update_sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.context import Bench
    from bench.environment import ProductEnvironment

#: Looks at each page, of which the median counts; the first ones warm the server up.
_LOOKS: Final = 9
_WARM_UP: Final = 3

_ADDRESS: Final = re.compile(r"The Data Hub is at (\S+)")
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]*)"')

_TENANTS: Final = """
    INSERT INTO tenants (key, settings, client_secret, version, created, updated)
    SELECT key || '-' || number,
           jsonb_set(settings::jsonb, '{organisation}', to_jsonb(key || '-' || number))::json,
           client_secret, version, created, updated
    FROM tenants, generate_series(2, %s) number
"""

_RUNS: Final = """
    INSERT INTO runs (uid, tenant_id, mode, dry_run, users, status, attempt, max_attempt, listing_complete,
                      read_all_users, directory_size, started, finished)
    SELECT md5(id::text), id, 'full', false, '[]', 'completed', 1, 1, true, true, 60,
           now() - interval '1 hour', now() - interval '50 minutes'
    FROM tenants ORDER BY id
"""

#: Of the first run so many users; of each other run so many; of the first one so many failed.
_RESULTS: Final = """
    INSERT INTO receipts (run_id, entra_id, tenant_id, outcome, reason, stage, detail, skolon_id, attempts,
                          published_at, finished_at, verified_at)
    SELECT runs.id, md5('user' || number)::uuid::text, tenant_id,
           CASE WHEN fails THEN 'dead_lettered' ELSE 'unchanged' END,
           CASE WHEN fails AND number %% 20 = 0 THEN 'value_taken' WHEN fails THEN 'invalid_user' END,
           CASE WHEN fails THEN 'map' END, CASE WHEN fails THEN 'eppn' END,
           CASE WHEN NOT fails THEN 's' || number END, 1, started, finished, finished
    FROM runs, LATERAL generate_series(1, CASE WHEN runs.id = 1 THEN %s ELSE %s END) number,
         LATERAL (SELECT number <= CASE WHEN runs.id = 1 THEN %s ELSE 6 END AS fails) failing
"""

_RUN: Final = "SELECT runs.id FROM runs JOIN tenants ON tenants.id = tenant_id WHERE key = %s"

_MIDDLE_USER: Final = """
    SELECT entra_id FROM receipts WHERE run_id = %s AND outcome = 'unchanged'
    ORDER BY entra_id OFFSET %s LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class _Size:
    """How many tenants there are, how many users the first and each other one has, and how many failed.

    Those who failed are of the first one. Its users are a small part of all, so that a page of its that reads
    all is at fault.
    """

    tenants: int
    users: int
    others: int
    failed: int


_SMALL: Final = _Size(tenants=1, users=60, others=60, failed=6)

#: The pages by name; `{tenant}`, `{run}` and `{user}` stand for those of the first tenant.
_PAGES: Final = {
    "syncs": "",
    "attention": "tenants/{tenant}/attention/",
    "attention-users": "tenants/{tenant}/attention/invalid_user",
    "runs": "tenants/{tenant}/runs/",
    "run": "tenants/{tenant}/runs/{run}",
    "run-users": "tenants/{tenant}/runs/{run}/users/unchanged?after={user}",
    "report": "tenants/{tenant}/report/",
    "user": "tenants/{tenant}/users/{user}",
    "settings": "tenants/{tenant}/settings/",
}


@dataclass(frozen=True, kw_only=True)
class _Site:
    """A Data Hub over a database, an operator's session, and the addresses of the pages by name."""

    place: ProductEnvironment
    session: requests.Session
    addresses: Mapping[str, str]


@contextmanager
def _site(size: _Size, bench: Bench) -> Iterator[_Site]:
    """Serve the Data Hub over a database of a size until the block ends."""
    population = Population(number=90, people=1)
    with product_environment(bench) as place:
        place.add(population)
        run, user = _fill(place, population.organisation, size)
        # Pages without requests to Graph and Skolon: their time is not ours.
        env = {**place.env, "UPDATE_SYNC_HUB_PORT": "0", "UPDATE_SYNC_SKOLON_SCIM_URL": ""}
        log = bench.folder / f"hub-{uuid.uuid4().hex}.log"
        with place.hub(env, log):
            address = place.wait(lambda: _ADDRESS.search(log.read_text(encoding="utf-8")), "the Data Hub")[1]
            names = {"tenant": population.organisation, "run": run, "user": user}
            addresses = {name: address + path.format(**names) for name, path in _PAGES.items()}
            session = _signed_in(env, address, bench.command)
            yield _Site(place=place, session=session, addresses=addresses)


def _time_pages(size: _Size, side: str, bench: Bench) -> dict[str, float]:
    """Return the seconds of each page. Raises BenchError if one fails."""
    with _site(size, bench) as site:
        return {
            f"hub-{name}: {side}": _median_time(site.session, address)
            for name, address in site.addresses.items()
        }


def check_plans(bench: Bench) -> dict[str, float]:
    """Count how often each page reads all results from end to end. Raises BenchError if one does."""
    found = {}
    with _site(_large(bench), bench) as site:
        before = site.place.sequential_scans("receipts")
        for name, address in site.addresses.items():
            site.session.get(address, timeout=120)
            after = site.place.sequential_scans("receipts")
            found[f"hub-{name}: sequential scans"] = after - before
            before = after
    scanning = [name for name, scans in found.items() if scans]
    if scanning:
        raise BenchError(f"pages have read all results from end to end: {', '.join(scanning)}")
    return {name: float(scans) for name, scans in found.items()}


def _median_time(session: requests.Session, address: str) -> float:
    times = []
    for _ in range(_WARM_UP + _LOOKS):
        began = time.perf_counter()
        answer = session.get(address, timeout=120)
        times.append(time.perf_counter() - began)
        if answer.status_code != requests.codes.ok:
            raise BenchError(f"a page answered {answer.status_code}")
    return median(times[_WARM_UP:])


def _signed_in(env: dict[str, str], address: str, command: str) -> requests.Session:
    invited = update_sync("hub", "invite", "Bench", "--role", "operator", "--json", env=env, command=command)
    if invited.returncode:
        raise BenchError(f"no member was invited: {invited.stderr}")
    token = json.loads(invited.stdout)["link"].partition("link=")[2]
    session = requests.Session()
    page = session.get(f"{address}sign-in", params={"link": token}, timeout=60)
    form = _TOKEN.search(page.text)
    fields = {"link": token, "csrf_token": unescape(form[1]) if form else ""}
    answer = session.post(f"{address}sign-in", data=fields, timeout=60)
    if "sign-in" in answer.url:
        raise BenchError("the member was not signed in")
    return session


def _fill(place: ProductEnvironment, tenant: str, size: _Size) -> tuple[str, str]:
    """Add tenants like the first one, each with a complete run; return its run and a user in the middle."""
    place.execute(_TENANTS, size.tenants)
    place.execute(_RUNS)
    place.execute(_RESULTS, size.users, size.others, size.failed)
    place.execute("VACUUM ANALYZE")
    (run,) = place.execute(_RUN, tenant)[0]
    (user,) = place.execute(_MIDDLE_USER, run, size.users // 2)[0]
    return str(run), str(user)


def _large(bench: Bench) -> _Size:
    users = bench.sizes.hub
    return _Size(tenants=200, users=users, others=users // 40, failed=users // 10)


def large(bench: Bench) -> dict[str, float]:
    """Time the pages of a large installation."""
    return _time_pages(_large(bench), "large", bench)


def small(bench: Bench) -> dict[str, float]:
    """Time the pages of an installation with one tenant of a few users."""
    return _time_pages(_SMALL, "small", bench)


HUB: Final = Group(
    name="hub",
    figures=tuple(
        Figure(
            name=f"hub-{name}",
            ours=f"hub-{name}: large",
            theirs=f"hub-{name}: small",
            unit="s",
            at_most=3,
            against="the same page of a nearly empty database",
        )
        for name in _PAGES
    ),
    sides=(large, small),
    rounds=3,
)

#: Measured with the pages' times: a fault of it names the pages.
HUB_PLANS: Final = Group(name=HUB.name, figures=(), sides=(check_plans,), rounds=1)
