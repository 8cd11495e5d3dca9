"""`update-sync sandbox`: the whole sync, with made-up users and nothing to install."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from cli.numbers import WholeNumber
from cli.output import json_option
from schemas.errors import UsageError

#: Options that mean something with --serve alone.
_SERVING: Final = ("directory", "host", "name", "ports")

#: The parts of a host name (RFC 1123 section 2.1), or of an IPv4 address.
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


def _check_address(host: str) -> None:
    try:
        socket.getaddrinfo(host, 0)
    except (OSError, UnicodeError):
        raise click.UsageError("--host is no address, and no name that can be resolved.") from None


def _host_name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise click.BadParameter("no host name, such as sandbox.example, and no IPv4 address.")
    return value


@click.command()
@click.option(
    "--users",
    default=500,
    show_default=True,
    type=WholeNumber(1),
    metavar="N",
    help="Made-up users to sync.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=WholeNumber(),
    metavar="N",
    help="A number; the same one makes the same users.",
)
@json_option
@click.option(
    "--hub", is_flag=True, help="Serve the Data Hub for the made-up municipality, signed in, until Ctrl-C."
)
@click.option("--serve", is_flag=True, help="Only serve Entra, Graph and Skolon, until Ctrl-C.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIRECTORY",
    show_default="a temporary one",
    help="With --serve: where to write certificate, tenant.json, cases.json and environment.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="With --serve: the IP address to listen on.",
)
@click.option(
    "--name",
    default="127.0.0.1",
    show_default=True,
    callback=_host_name,
    metavar="HOST",
    help="With --serve: the host name by which others reach the stand-ins.",
)
@click.option(
    "--ports",
    nargs=2,
    type=WholeNumber(0, 65535),
    default=(0, 0),
    metavar="ENTRA SKOLON",
    show_default="free ones",
    help="With --serve: the port of Entra and Graph, and the port of Skolon.",
)
def sandbox(  # noqa: PLR0913 - one for each option
    *, users: int, seed: int, wants_json: bool, hub: bool, serve: bool, directory: Path | None, **bind: Any
) -> None:
    """Run the whole sync in one process, with made-up users.

    Stand-ins take the place of Entra, Microsoft Graph and Skolon. The first run updates Skolon, the second
    one must find nothing left to do. The outcomes are compared with what the made-up municipality expects.
    With --hub, one run can be watched in a browser, at the port that UPDATE_SYNC_HUB_PORT names.
    Tests of notifications go out from there by UPDATE_SYNC_SMTP_URL and UPDATE_SYNC_MAIL_FROM.
    """
    context = click.get_current_context()
    given = [name for name in _SERVING if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given and not serve:
        raise click.UsageError(f"--{given[0]} goes with --serve.")
    if hub and (serve or wants_json):
        raise click.UsageError(f"--hub goes without {'--serve' if serve else '--json'}.")
    try:
        from cli.sandbox.session import open_hub, run_both, serve_only  # noqa: PLC0415 - slow to import, not always installed
    except ModuleNotFoundError as error:
        raise UsageError(
            "The sandbox is not installed: pip install 'skolon-update-sync[sandbox]' adds it."
        ) from error
    if serve:
        _check_address(bind["host"])
        serve_only(users, seed, directory, wants_json=wants_json, **bind)
    elif hub:
        open_hub(users, seed)
    elif not run_both(users, seed, wants_json=wants_json):
        raise click.exceptions.Exit(1)
