"""The steps of the database's tables, as a chain."""

from __future__ import annotations

from pathlib import Path

from alembic.script import ScriptDirectory

from store import migrations


def test_the_steps_are_one_chain() -> None:
    """Each step follows the one before: two that follow the same one could not be taken at once."""
    steps = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(steps.get_heads()) == 1, f"two steps follow the same one: {steps.get_heads()}"
    assert all(len(step.nextrev) <= 1 for step in steps.walk_revisions())
