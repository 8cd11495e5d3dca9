"""The private servers: databases with the tables of one version or another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from devtools.servers import upgrade_with

if TYPE_CHECKING:
    from pathlib import Path


def _command(folder: Path, script: str) -> str:
    command = folder / "update-sync"
    command.write_text(f"#!{sys.executable}\nimport os, pathlib, sys\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    return str(command)


def test_a_database_is_upgraded_by_the_command_that_is_given(tmp_path: Path) -> None:
    """Another version brings its own tables."""
    said = tmp_path / "said"
    write = f"pathlib.Path({str(said)!r}).write_text(f'{{sys.argv[1:]}} {{os.environ[name]}}')"
    upgrade_with(_command(tmp_path, f"name = 'UPDATE_SYNC_DATABASE_URL'\n{write}"))("postgresql://made-up")
    assert said.read_text(encoding="utf-8") == "['database', 'upgrade'] postgresql://made-up"


def test_a_failed_upgrade_names_the_command(tmp_path: Path) -> None:
    """Two versions take part, so that the error has to say whose upgrade it was."""
    command = _command(tmp_path, "sys.exit('no such table')")
    with pytest.raises(RuntimeError, match=rf"by {command}: no such table"):
        upgrade_with(command)("postgresql://made-up")


def test_each_version_has_one_template() -> None:
    """`PostgreSQL.create_database` copies what the same function prepared before."""
    assert upgrade_with("now") is upgrade_with("now")
    assert upgrade_with("now") is not upgrade_with("before")
