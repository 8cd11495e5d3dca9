"""What a run finds out about Skolon's server is kept for the next process, and costs it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.message_services import MessageServices
from cli.sandbox.in_process_sync import in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.skolon.faults import without_search_by_post
from schemas.crypto.encryption import new_key
from schemas.outcomes import Status
from schemas.settings import PREFIX, Settings
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PEOPLE = 50


def test_a_worker_that_starts_goes_by_what_others_have_found_out(
    made_up: Environment, tmp_path: Path
) -> None:
    """A server without searches by POST, found out by a run: the next process searches by GET at once."""
    made_up.skolon.faults.add(without_search_by_post())
    organisation = made_up.tenant["organisation"]
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as sync:
        assert sync.run().run.status is Status.COMPLETED
        assert made_up.wrong_users() == []
        kept = sync.store.skolon_capabilities(made_up.variables[f"{PREFIX}SKOLON_SCIM_URL"]).load(
            organisation
        )
        assert {name: kept[name].value for name in ("method", "takes_or")} == {
            "method": "GET",
            "takes_or": True,
        }
    stand_ins: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value for name, value in made_up.variables.items()
    }
    database_url = f"sqlite:///{tmp_path / 'sandbox.sqlite'}"
    next_process = MessageServices(Settings(database_url=database_url, secret_keys=(new_key(),), **stand_ins))
    made_up.skolon.forget_requests()
    keys = {Attribute.EXTERNAL_ID: "entra-77", Attribute.USER_NAME: "u77@kommun.example"}
    assert next_process.gateways.skolon(dry_run=False).search(organisation, keys) == []
    searches = {kind: number for kind, number in made_up.skolon.requests().items() if "search" in kind}
    assert searches == {"GET search": 1}
    next_process.store.close()
