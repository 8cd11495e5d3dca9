"""Commands that are imported when they are used."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from cli.app import update_sync
from cli.lazy_group import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Iterator


def lazy_commands(group: LazyGroup, path: str = "") -> Iterator[tuple[str, LazyGroup, str]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if name in group.lazy:
                yield f"{path}{name}", group, name
            if isinstance(command, LazyGroup):
                yield from lazy_commands(command, f"{path}{name} ")


@pytest.mark.parametrize(
    ("group", "name"), [pytest.param(*rest, id=path) for path, *rest in lazy_commands(update_sync)]
)
def test_a_list_of_commands_says_what_the_command_says(group: LazyGroup, name: str) -> None:
    """The line in the list, which needs no import, is the first sentence of the command's own help."""
    with click.Context(group) as context:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert group.lazy[name].short_help == command.get_short_help_str(limit=200)


def test_a_list_of_commands_imports_none_of_them() -> None:
    """`--help` is quick: it loads no database, no broker, no HTTP client, no table and no stand-in."""
    heavy = (
        "alembic",
        "dramatiq",
        "faker",
        "gevent",
        "msal",
        "pika",
        "rich",
        "scim2_server",
        "sqlalchemy",
        "structlog",
    )
    code = (
        "import sys; from cli.app import update_sync; update_sync.main(['--help'], standalone_mode=False);"
        f"sys.exit(' '.join({{*{heavy}}} & {{*sys.modules}}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert (done.returncode, done.stderr) == (0, "")
    assert "Show whether users are in sync" in done.stdout


@pytest.mark.parametrize("command", [("runs", "list"), ("tenants", "list"), ("dead-letters", "list")])
def test_a_command_imports_no_rich(command: tuple[str, str]) -> None:
    """A fifth of the start would be for rich, which structlog looks for and only tables need."""
    script = (
        "import sys; from cli.app import update_sync; update_sync.main(sys.argv[1:], standalone_mode=False);"
        "assert 'structlog' in sys.modules, 'nothing was imported';"
        "assert 'rich' not in sys.modules, 'rich was imported'; import rich"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script, *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
