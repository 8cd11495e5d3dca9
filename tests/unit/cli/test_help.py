"""`--help` of every command: each option says what it does, in which unit, and what holds without it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click
import pytest

from cli.app import update_sync

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is said of the same option in the same words everywhere.
SAID_ALIKE: Final = (
    "--json", "--yes", "--timeout", "--from", "--run", "--id", "--queue", "--all"
)  # fmt: skip

#: What a number may be of: a unit is a word of the metavar or of the help.
UNITS: Final = re.compile(
    r"SECONDS|HOURS|DAYS|SHARE|users|user|runs|run|dead letters|matches|messages|pages|requests|processes"
    r"|persons|number|port",
    re.IGNORECASE,
)


def commands(command: click.Command, path: str = "update-sync") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                yield from commands(inner, f"{path} {name}")


def options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


ALL: Final = dict(commands(update_sync))


@pytest.mark.parametrize("path", ALL)
def test_each_option_says_what_it_does(path: str) -> None:
    """In a sentence, and a number with its unit and with what holds without it."""
    assert (ALL[path].help or "").strip()
    for option in options(ALL[path]):
        said = option.help or ""
        assert re.match(r"[A-Z`a-z].*[.]$", said, re.DOTALL), (path, option.name, said)
        is_number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
        if is_number and not option.is_flag:
            assert UNITS.search(f"{option.metavar} {said}"), (path, option.name, "has no unit")
            assert option.metavar, (path, option.name, "has no metavar")
            assert option.required or option.multiple or option.show_default, (path, option.name)
        has_default = isinstance(option.default, str | int | float | tuple)
        if has_default and not option.is_flag and not option.multiple:
            assert option.show_default, (path, option.name, "does not show its default")


@pytest.mark.parametrize("name", SAID_ALIKE)
def test_the_same_option_is_described_alike(name: str) -> None:
    """Read once, it need not be read again."""
    said = {option.help for command in ALL.values() for option in options(command) if name in option.opts}
    assert len(said) == 1


@pytest.mark.parametrize("path", ALL)
def test_options_that_may_be_repeated_say_so(path: str) -> None:
    """In the same words."""
    for option in options(ALL[path]):
        assert option.multiple is bool(re.search(r"May be repeated\b", option.help or "")), option.name


@pytest.mark.parametrize("path", ALL)
def test_what_an_argument_stands_for_is_told(path: str) -> None:
    """Each argument stands in the command's text, but for the tenant's key."""
    for argument in (each for each in ALL[path].params if isinstance(each, click.Argument)):
        name = argument.make_metavar(click.Context(ALL[path])).strip("[]")
        assert name == "TENANT" or re.search(rf"\b{name}\b", ALL[path].help or ""), (path, name)
