"""`update-sync sandbox`: see the sync work, with nothing installed and nobody's data."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bootstrap.private_files import fix_of_rights
from cli.output import echo, print_json
from cli.runs.report import progress_bar
from cli.sandbox.in_process_sync import in_process_sync
from cli.sandbox.report import Findings, as_json, compare, show
from runtime.logging import set_up_logging
from sandbox.environment import TENANT_KEY, BindAddress, Environment, serve_environment
from schemas.safe_text import safe_json


@click.command()
@click.option("--users", default=500, show_default=True, type=click.IntRange(1), help="How many people.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people.")
@click.option("--json", "wants_json", is_flag=True, help="Print JSON and nothing else.")
@click.option("--serve", is_flag=True, help="Only serve Entra, Graph and Skolon, until Ctrl-C.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --serve: where to write certificate, tenant.json and environment [default: a temporary one].",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="With --serve: listen here.")
@click.option("--name", default="127.0.0.1", show_default=True, help="With --serve: its name for others.")
@click.option("--ports", nargs=2, type=click.IntRange(0, 65535), default=(0, 0), help="With --serve.")
def sandbox(
    *, users: int, seed: int, wants_json: bool, serve: bool, directory: Path | None, **bind: Any
) -> None:
    """Run the whole sync in one process, against stand-ins, on a made-up municipality.

    Two runs are made: the first brings Skolon up to date, the second has to find nothing left to do.
    What became of everybody is compared with what the municipality itself expects.
    """
    # What the made-up people's dead letters are for is in the table.
    set_up_logging("console", level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="update-sync-sandbox-") as temporary:
        if serve:
            folder = directory or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            if (fix := fix_of_rights(folder)) is not None:
                echo(f"Others of this machine can read what is in it: {fix}", err=True)
            with serve_environment(folder, users=users, seed=seed, bind=BindAddress(**bind)) as served:
                _serve(served, folder, wants_json=wants_json)
            return
        with serve_environment(Path(temporary), users=users, seed=seed) as made_up:
            findings = _both_runs(made_up, Path(temporary), quiet=wants_json)
    if wants_json:
        print_json(as_json(findings))
    else:
        show(findings, Console())
    if not findings.right:
        raise click.exceptions.Exit(1)


def _both_runs(made_up: Environment, folder: Path, *, quiet: bool) -> Findings:
    with progress_bar(quiet=quiet) as progress, in_process_sync(made_up, TENANT_KEY, folder) as sync:
        first = sync.run(progress=partial(progress, "first run"))
        second = sync.run(progress=partial(progress, "second run"))
        return compare(made_up, sync.store, first, second)


def _serve(served: Environment, folder: Path, *, wants_json: bool) -> None:
    (folder / "tenant.json").write_text(json.dumps(served.tenant, indent=2), encoding="utf-8")
    lines = [f"export {name}='{value}'\n" for name, value in served.variables.items()]
    (folder / "environment").write_text("".join(lines), encoding="utf-8")
    if wants_json:
        answer = {"directory": str(folder), "environment": served.variables, "tenant": served.tenant}
        # In one line: whoever started it reads the first one.
        echo(safe_json(answer))
    else:
        echo(
            f"Entra, Graph and Skolon are being served for {served.municipality.size} made-up people.",
            f"  . {folder / 'environment'}",
            f"  update-sync tenants add {TENANT_KEY} --from {folder / 'tenant.json'}",
            "Ctrl-C ends them.",
        )
    sys.stdout.flush()
    threading.Event().wait()
