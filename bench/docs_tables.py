"""Writes the tables of docs/performance.md from build/bench.json.

`make bench ARGS=--document` writes them after the last figure. `python -m bench.docs_tables` writes them from
the file of the last invocation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import report
from bench.benchmarks.catalogue import FIGURES
from bench.benchmarks.requests import REQUESTS
from bench.model import Costs, ManyTenants, Pool, core_seconds, municipalities, pool_for, seconds
from devtools.marked_page import write_between

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
FOUND: Final = Path(__file__).parents[1] / "build" / "bench.json"

#: The markers of the generated part of the page; the rest is written by hand.
BEGIN: Final = "<!-- written by bench/docs_tables.py: begin -->"
END: Final = "<!-- written by bench/docs_tables.py: end -->"

#: The night that the page estimates: all of Sweden.
_MUNICIPALITIES: Final = 290
_PEOPLE: Final = 2_000_000
_CHANGED: Final = 0.05
_LATENCIES: Final = (0.02, 0.05, 0.1)
_HOURS: Final = (1, 4)


def update(page: Path, found: Mapping[str, Any]) -> None:
    """Write the tables between the page's markers. Raises ValueError when the page has no markers."""
    write_between(page, BEGIN, END, render(found))


def render(found: Mapping[str, Any]) -> str:
    """Return command, machine, figures, requests, shares and the night in Markdown."""
    figures = [report.line(figure, found[name]) for name, figure in FIGURES.items() if name in found]
    parts = [
        f"```\n{found['made']['command']}\n```",
        _machine(found["made"]),
        _sizes(found["made"]["sizes"]),
        "\n".join([report.head(), *figures]),
    ]
    if REQUESTS.name in found:
        parts.append(_requests(found[REQUESTS.name]))
    parts.append(_shares(found["details"]))
    if all(name in found for name in ("publish", "unchanged", "changed")):
        parts.append(_many_tenants(found))
    return "\n\n".join(parts)


def _machine(made: Mapping[str, Any]) -> str:
    return (
        f"{made['cores']} cores, {made['memory_gib']} GiB of memory, with everything on them: RabbitMQ"
        f" {made['rabbitmq']}, PostgreSQL {made['postgresql']}, the stubs and both sides. Python"
        f" {made['python']}; a worker process has {made['threads']} threads by default."
    )


def _sizes(sizes: Mapping[str, int]) -> str:
    """Return the numbers of users that the figures' names do not tell: small runs have fewer."""
    return (
        f"People: {sizes['publish']:,} published, {sizes['worked']:,} unchanged,"
        f" {sizes['memory_small']:,} in the small tenant and {sizes['memory_large']:,} in the large one whose"
        f" memory is compared, {sizes['delta']:,} in the tenant of the deltas,"
        f" {sizes['many_tenants']:,} in the night."
    )


def _requests(requests: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    lines = [
        f"| {kind.replace('_', ' ')} | {_counts(services['graph'])} | {_counts(services.get('skolon', {}))} |"
        for kind, services in requests.items()
    ]
    head = "| requests for 1,000 people | to Graph and Entra | to Skolon |\n| --- | --- | --- |"
    return "\n".join([head, *lines])


def _counts(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{count:g} {what}" for what, count in counts.items()) or "none"


def _shares(details: Mapping[str, float]) -> str:
    shares = {name: value for name, value in details.items() if name.endswith("share of a core")}
    if not shares:
        return ""
    name = max(shares, key=lambda one: shares[one])
    return f"The busiest stub used {shares[name]:.0%} of a core ({name.partition(':')[0]})."


def _many_tenants(found: Mapping[str, Any]) -> str:
    """Return the measured constants of the sizing rule, and the estimated night."""
    cores = found["made"]["cores"]
    rates = {f"{name}: ours": found[name]["ours"] for name in ("publish", "unchanged", "changed")}
    costs = Costs.measured(rates, cores)
    measured = ", ".join(
        f"`{name}` = {1000 * value:.2f} ms"
        for name, value in (
            ("published", costs.published),
            ("unchanged", costs.unchanged),
            ("changed", costs.changed),
        )
    )
    columns = (
        f"{_MUNICIPALITIES} municipalities, {_PEOPLE:,} people, {_CHANGED:.0%} changed",
        "core hours",
        *(f"pool for {hours} h" for hours in _HOURS),
        "this machine, 100 threads",
    )
    lines = [
        f"Measured: {measured} of a core for each person, RabbitMQ and PostgreSQL included.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{' --- |' * len(columns)}",
    ]
    tenants = municipalities(_MUNICIPALITIES, _PEOPLE)
    for latency in _LATENCIES:
        many_tenants = ManyTenants(tenants=tenants, changed=_CHANGED, latency=latency)
        pools = [pool_for(many_tenants, costs, hours * 3600) for hours in _HOURS]
        cells = [
            f"{latency * 1000:.0f} ms of latency",
            f"{core_seconds(many_tenants, costs) / 3600:.1f}",
            *(f"{pool.cores} cores, {pool.threads} threads" for pool in pools),
            f"{seconds(many_tenants, Pool(cores=cores, threads=100), costs) / 3600:.1f} h",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    update(PAGE, json.loads(FOUND.read_text(encoding="utf-8")))
