"""What `update-sync sandbox` does: two runs on a made-up municipality, or serving it to others."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from bootstrap.private_files import permission_fix
from cli.output import echo, print_json
from cli.progress import progress_bar
from cli.runs.wait_progress import show_progress
from cli.sandbox.in_process_sync import in_process_sync
from cli.sandbox.report import Findings, as_json, compare, show
from runtime.logging import set_up_logging
from sandbox.environment import TENANT_KEY, BindAddress, Environment, serve_environment
from sandbox.municipality.common_cases import UNCHANGED_CASE
from schemas.safe_text import safe_json

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many users of each case `cases.json` names.
_EXAMPLES: Final = 5


def run_both(users: int, seed: int, *, wants_json: bool) -> bool:
    """Make both runs, print what they did, and say whether that was expected."""
    with _folder() as folder, serve_environment(folder, users=users, seed=seed) as made_up:
        findings = _both_runs(made_up, folder, quiet=wants_json)
    if wants_json:
        print_json(as_json(findings))
    else:
        show(findings, Console())
    return findings.right


def open_hub(users: int, seed: int) -> None:
    """Open the Data Hub over a made-up municipality, until a signal ends it."""
    from cli.sandbox.data_hub import show_hub  # noqa: PLC0415 - slow to import, not always needed

    with _folder() as folder, serve_environment(folder, users=users, seed=seed) as made_up:
        show_hub(made_up, folder)


def serve_only(users: int, seed: int, directory: Path | None, *, wants_json: bool, **bind: Any) -> None:
    """Serve Entra, Graph and Skolon until a signal ends it."""
    with _folder() as temporary:
        folder = directory or temporary
        folder.mkdir(parents=True, exist_ok=True)
        if (fix := permission_fix(folder)) is not None:
            echo(f"Other users of this machine can read this folder: {fix}", err=True)
        with serve_environment(folder, users=users, seed=seed, bind=BindAddress(**bind)) as served:
            _serve(served, folder, wants_json=wants_json)


@contextmanager
def _folder() -> Iterator[Path]:
    # The made-up users' errors are in the table.
    set_up_logging("console", level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="update-sync-sandbox-") as temporary:
        yield Path(temporary)


def _both_runs(made_up: Environment, folder: Path, *, quiet: bool) -> Findings:
    with progress_bar(quiet=quiet) as bar, in_process_sync(made_up, TENANT_KEY, folder) as sync:
        first = sync.run(progress=partial(show_progress, bar, "first run"))
        second = sync.run(progress=partial(show_progress, bar, "second run"))
        return compare(made_up, sync.store, first, second)


def _serve(served: Environment, folder: Path, *, wants_json: bool) -> None:
    (folder / "tenant.json").write_text(json.dumps(served.tenant, indent=2), encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps(_cases(served), indent=2), encoding="utf-8")
    lines = [f"export {name}='{value}'\n" for name, value in served.variables.items()]
    (folder / "environment").write_text("".join(lines), encoding="utf-8")
    if wants_json:
        answer = {"directory": str(folder), "environment": served.variables, "tenant": served.tenant}
        # In one line: a program that starts it reads the first one.
        echo(safe_json(answer))
    else:
        echo(
            f"Entra, Graph and Skolon are being served for {served.municipality.size} made-up people.",
            "In another terminal, with the variables of RabbitMQ and the database:",
            f"  . {folder / 'environment'}",
            "  update-sync database upgrade",
            f"  update-sync tenants add {TENANT_KEY} --from {folder / 'tenant.json'}",
            "  update-sync all",
            *_hints_for_changes(served, folder),
            "Ctrl-C here ends the stand-ins.",
        )
    sys.stdout.flush()
    threading.Event().wait()


def _cases(served: Environment) -> dict[str, list[dict[str, Any]]]:
    """Return a few users of each case by their ids, with what must become of them."""
    return {
        case: [
            {
                "entra_id": user.entra["id"],
                "skolon_ids": [held["id"] for held in user.skolon],
                "outcome": user.outcome,
                "reason": user.reason,
            }
            for user in users
        ]
        for case, users in served.municipality.examples(_EXAMPLES).items()
    }


def _hints_for_changes(served: Environment, folder: Path) -> list[str]:
    """Return the commands that change one common user in Entra and in Skolon."""
    user = next((each for each in served.municipality if each.case == UNCHANGED_CASE.name), None)
    if user is None:
        return []
    curl = f"  curl --cacert {served.variables['UPDATE_SYNC_CA_BUNDLE']} --request PATCH"
    entra, skolon = served.entra_user_url(user.entra["id"]), served.skolon_user_url(user.skolon[0]["id"])
    return [
        f"A user changes in Entra, or in Skolon without the sync ({folder / 'cases.json'} has more ids):",
        f"""{curl} --data '{{"surname": "Nygift"}}' {entra}""",
        f"""{curl} --data '{{"name": {{"familyName": "Fel"}}}}' {skolon}""",
    ]
