"""`update-sync sandbox`: see the sync work, with nothing installed and nobody's data."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from console.sandbox_report import Findings, as_json, compare, show
from console.sandbox_run import one_process
from sandbox.world import TENANT_KEY, World, world
from schemas.logs import set_up_logging

if TYPE_CHECKING:
    from schemas.runs import RunSummary


@click.command()
@click.option(
    "--users", default=500, show_default=True, type=click.IntRange(1, 200_000), help="How many people."
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people.")
@click.option("--serve", is_flag=True, help="Only serve Entra, Graph and Skolon, until Ctrl-C.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --serve: where to write certificate, tenant.json and environment [default: a temporary one].",
)
@click.option(
    "--ports", nargs=2, type=click.IntRange(0, 65535), default=(0, 0), help="With --serve: fixed ports."
)
@click.option("--json", "wants_json", is_flag=True, help="Print JSON and nothing else.")
def sandbox(  # noqa: PLR0913 - one for each option
    *, users: int, seed: int, serve: bool, directory: Path | None, ports: tuple[int, int], wants_json: bool
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
            with world(folder, people=users, seed=seed, ports=ports) as served:
                _serve(served, folder, wants_json=wants_json)
            return
        with world(Path(temporary), people=users, seed=seed) as made_up:
            findings = _both_runs(made_up, Path(temporary), quiet=wants_json or not sys.stderr.isatty())
    if wants_json:
        click.echo(json.dumps(as_json(findings), indent=2))
    else:
        show(findings, Console())
    if not findings.right:
        raise click.exceptions.Exit(1)


def _both_runs(made_up: World, folder: Path, *, quiet: bool) -> Findings:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    )
    with bar, one_process(made_up, TENANT_KEY, folder) as sync:
        summaries = []
        for name in ("first run", "second run"):
            task = bar.add_task(name, total=made_up.municipality.size)

            def progress(summary: RunSummary, task: Any = task) -> None:
                bar.update(task, completed=summary.published - summary.pending)

            summaries.append(sync.run(progress=progress))
    return compare(made_up, *summaries)


def _serve(served: World, folder: Path, *, wants_json: bool) -> None:
    (folder / "tenant.json").write_text(json.dumps(served.tenant, indent=2), encoding="utf-8")
    lines = [f"export {name}='{value}'\n" for name, value in served.environment.items()]
    (folder / "environment").write_text("".join(lines), encoding="utf-8")
    if wants_json:
        answer = {"directory": str(folder), "environment": served.environment, "tenant": served.tenant}
        click.echo(json.dumps(answer))
    else:
        click.echo(
            f"Entra, Graph and Skolon are being served for {served.municipality.size} made-up people.\n"
            f"  . {folder / 'environment'}\n"
            f"  update-sync tenants add {TENANT_KEY} --from {folder / 'tenant.json'}\n"
            "Ctrl-C ends them."
        )
    sys.stdout.flush()
    threading.Event().wait()
