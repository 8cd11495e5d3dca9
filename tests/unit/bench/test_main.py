"""The bench's command: the versions that it measures in turn."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, cast

import pytest

from bench.__main__ import measure_rounds, version_command
from bench.benchmarks.figure import Group
from bench.measures import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.context import Bench


def _versions(*names: str) -> dict[str, Bench]:
    """Return versions that are nothing but their names."""
    return {name: cast("Bench", name) for name in names}


def _side(bench: Bench) -> Mapping[str, float]:
    if cast("str", bench) == "broken":
        raise BenchError("its worker died")
    return {cast("str", bench): 1.0}


def _group(measured: list[str]) -> Group:
    def note(bench: Bench) -> Mapping[str, float]:
        measured.append(cast("str", bench))
        return {}

    return Group(name="work", figures=(), sides=(note, _side))


def test_versions_alternate() -> None:
    """No version is always the first: what warms up or slows down meets both."""
    measured: list[str] = []
    measure_rounds(_group(measured), _versions("now", "before"), 3, [])
    assert measured == ["now", "before", "before", "now", "now", "before"]


def test_a_version_that_cannot_be_measured_leaves_the_other_alone() -> None:
    """Its fault is told once, and it is not tried again."""
    faults: list[str] = []
    found = measure_rounds(_group([]), _versions("now", "broken"), 2, faults)
    assert found == {"now": [{"now": 1.0}, {"now": 1.0}]}
    assert faults == ["workbroken: its worker died"]


def test_a_version_is_named_by_its_worktree(tmp_path: Path) -> None:
    """A folder stands for the command in its own .venv."""
    command = tmp_path / ".venv" / "bin" / "update-sync"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    assert version_command(str(tmp_path)) == version_command(str(command)) == command


def test_a_worktree_without_a_command_is_refused(tmp_path: Path) -> None:
    """It is said before anything is measured."""
    with pytest.raises(ArgumentTypeError, match="cannot be run"):
        version_command(str(tmp_path))
