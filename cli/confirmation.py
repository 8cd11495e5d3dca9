"""Asks before a command changes what cannot simply be taken back."""

from __future__ import annotations

import sys

import click

from cli.output import echo


def check_can_ask(*, yes: bool) -> None:
    """Raise `click.UsageError` if a question could not be answered: there is no terminal, and no `--yes`."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Not interactive: pass --yes.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask unless `yes`; exit with 1 if the answer is no."""
    check_can_ask(yes=yes)
    if not yes and not click.confirm(question, err=True):
        echo("Nothing has been done.", err=True)
        raise click.exceptions.Exit(1)
