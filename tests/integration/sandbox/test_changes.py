"""Made-up users change while the stand-ins serve, and the sync mends them."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

from devtools.commands import command_environment, running, wait_for
from sandbox.municipality.common_cases import UNCHANGED_CASE
from sandbox.municipality.municipality import Municipality
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from schemas.runs.receipt import Receipt

#: So many that all cases are there.
PEOPLE = 50


def curl(made_up: Environment, url: str, changes: dict[str, Any]) -> None:
    """Send a change as the documentation says it."""
    authority = made_up.variables["UPDATE_SYNC_CA_BUNDLE"]
    data = json.dumps(changes)
    command = ["curl", "--cacert", authority, "--fail", "--request", "PATCH", "--data", data, url]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own server


def receipts_of(sync: InProcessSync, run: int) -> dict[str, Receipt]:
    return {receipt.entra_id: receipt for receipt in sync.store.receipts.list(run)}


def test_each_user_has_the_outcome_of_its_case(sync: InProcessSync, made_up: Environment) -> None:
    """Not only the sums are as `cases.json` says: of two who claim one Skolon user the right one keeps it."""
    receipts = receipts_of(sync, sync.run().run.id)
    found = {user: (receipt.outcome, receipt.reason) for user, receipt in receipts.items()}
    assert found == {user.entra["id"]: (user.outcome, user.reason) for user in made_up.municipality}


def test_a_change_on_either_side_is_mended(sync: InProcessSync, made_up: Environment) -> None:
    """A new name in Entra and a falsified one in Skolon are both right after the next run."""
    one, other = (user for user in made_up.municipality.examples(2)[UNCHANGED_CASE.name])
    sync.run()
    curl(made_up, made_up.entra_user_url(one.entra["id"]), {"surname": "Nygift"})
    curl(made_up, made_up.skolon_user_url(other.skolon[0]["id"]), {"name": {"familyName": "Fel"}})

    run = sync.run().run.id

    receipts = receipts_of(sync, run)
    assert {receipts[user.entra["id"]].outcome for user in (one, other)} == {Outcome.UPDATED}
    assert sum(receipt.outcome == Outcome.UPDATED for receipt in receipts.values()) == 2
    names = [made_up.skolon_user(user.skolon[0]["id"]) for user in (one, other)]
    assert [user and user["name"]["familyName"] for user in names] == ["Nygift", other.entra["surname"]]


def test_what_serves_says_how_a_user_changes(tmp_path: Path) -> None:
    """The printed commands are in order and work as they stand; cases.json has users of each case by id."""
    log, folder = tmp_path / "log", tmp_path / "served"
    arguments = ("--users", str(PEOPLE), "--directory", str(folder))
    with running("sandbox", "--serve", *arguments, env=command_environment(), log=log):
        wait_for(lambda: "Ctrl-C" in log.read_text(), "the servers")
        lines = [line.strip() for line in log.read_text().splitlines()]
        commands = [[*shlex.split(line), "--fail"] for line in lines if line.startswith("curl ")]
        done = [subprocess.run(command, capture_output=True, check=False) for command in commands]  # noqa: S603 - as above

    steps = [line for line in lines if line.startswith((". ", "update-sync "))]
    assert [" ".join(step.split()[:3]) for step in steps] == [
        f". {folder / 'environment'}",
        "update-sync database upgrade",
        "update-sync tenants add",
        "update-sync all",
    ]
    assert [each.returncode for each in done] == [0, 0]
    assert json.loads(done[1].stdout)["name"]["familyName"] == "Fel"
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    assert cases.keys() == Municipality(PEOPLE).cases().keys()
    assert [user["reason"] for user in cases["recycled_address"]] == ["suspicious_match"]
