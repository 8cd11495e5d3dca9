"""The catalogue of figures: the names and bounds that were agreed on."""

from __future__ import annotations

import pytest

from bench.benchmarks.catalogue import FIGURES, GROUPS, NAMES
from bench.benchmarks.requests import nested
from bench.context import DEFAULT, QUICK

AGREED = {
    "publish",
    "unchanged",
    "changed",
    "script_0ms",
    "script_20ms",
    "script_100ms",
    "threads_20ms",
    "celery",
    "scale_2",
    "scale_4",
    "scale_8",
    "memory_producer",
    "memory_worker",
    "delta_none",
    "delta_ten",
    "requests",
    "neighbours",
    "rolling_restart",
    "stop",
}

BOUNDS = [
    ("publish", 4, None),
    ("unchanged", 0.5, None),
    ("changed", 0.3, None),
    ("script_20ms", 20, None),
    ("threads_20ms", 1, None),
    ("celery", 1.5, None),
    ("scale_4", 3.5, None),
    ("memory_producer", None, 1.1),
    ("memory_worker", None, 1.1),
    ("neighbours", None, 2),
    ("rolling_restart", None, 2),
    ("stop", None, 1),
]


def test_every_agreed_name_is_a_figure() -> None:
    """Whoever reads build/bench.json finds what was agreed on, and what was added to it."""
    pages = {name for name in NAMES if name.startswith("hub-")}
    assert set(NAMES) - pages == AGREED | {
        "many-tenants",
        "threads_0ms",
        "threads_100ms",
        "hub",
        "sync-now",
        "sync-now-longest",
    }


def test_every_page_of_the_hub_may_take_three_times_as_long() -> None:
    """Over a large database, beside a nearly empty one."""
    pages = [figure for name, figure in FIGURES.items() if name.startswith("hub-")]
    assert len(pages) > 5
    assert {(figure.at_least, figure.at_most) for figure in pages} == {(None, 3)}


@pytest.mark.parametrize(("name", "at_least", "at_most"), BOUNDS)
def test_every_agreed_bound_is_judged(name: str, at_least: float | None, at_most: float | None) -> None:
    """Reached at the bound, and missed just beyond it."""
    figure = FIGURES[name]
    assert (figure.at_least, figure.at_most) == (at_least, at_most)
    bound, beyond = (at_least, -0.01) if at_least is not None else (at_most or 0, 0.01)
    assert figure.reached(bound)
    assert not figure.reached(bound + beyond)


def test_no_two_groups_give_a_value_the_same_name() -> None:
    """A later group would otherwise replace what an earlier one has measured."""
    names = [name for group in GROUPS for figure in group.figures for name in {figure.ours, figure.theirs}]
    of_groups = [
        {name for figure in group.figures for name in (figure.ours, figure.theirs)} for group in GROUPS
    ]
    assert len(set(names)) == sum(map(len, of_groups))


def test_the_quick_form_is_smaller_in_everything() -> None:
    """And sizes grow together, and are never nothing."""
    assert all(getattr(QUICK, name) < getattr(DEFAULT, name) for name in vars(DEFAULT))
    assert DEFAULT.scaled(0.5).publish == 10_000
    assert min(vars(DEFAULT.scaled(0.0)).values()) == 1


def test_requests_are_told_by_kind_of_people_and_service() -> None:
    """Other values are no requests."""
    values = {
        "requests: changed: skolon: patch": 1000.0,
        "requests: changed: graph: page": 1.04,
        "many-tenants": 3.0,
    }
    assert nested(values) == {"changed": {"skolon": {"patch": 1000.0}, "graph": {"page": 1.0}}}
