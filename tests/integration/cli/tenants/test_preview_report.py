"""What a preview prints, over what a dry run left behind."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from administration.tenants.preview import preview_of
from cli.tenants.preview_report import show_preview
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.messages.messages import SyncRequest
from schemas.runs.run import identity_kept_warning
from schemas.tenants.settings_override import resolve_override
from schemas.users.attributes import Attribute
from store.store import Store
from tests.contract.store.factories import CLIENT_SECRET, TENANT, complete, tenant

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_users_whose_source_is_blank_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A source that is blank for users changes nothing for them: a warning says for how many."""
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}", FieldCipher([new_key()]))) as store:
        store.upgrade()
        store.tenants.add(tenant(), CLIENT_SECRET)
        settings = resolve_override(tenant(), {})
        request = SyncRequest(tenant=TENANT, dry_run=True, settings=settings)
        run = store.triggers.open(request, "event").run
        store.receipts.create_pending(run.id, ["anna", "bo"])
        store.run_warnings.record_users(run.id, 2, identity_kept_warning)
        complete(store, run)
        preview = preview_of(store.runs.summary(run.id), tenant(), store)
        show_preview(preview, wants_json=False)
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Warning ")]
    assert [line.split(" behåller")[0].split(" keep")[0] for line in warnings] == [
        "Warning (sv): 2 användare",
        "Warning (en): 2 users",
    ]


def test_a_match_key_that_is_given_up_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An attribute without a source may be a match key: then users are no longer found by it."""
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}", FieldCipher([new_key()]))) as store:
        store.upgrade()
        store.tenants.add(tenant(), CLIENT_SECRET)
        assert Attribute.EPPN in tenant().match_keys
        settings = resolve_override(tenant(), {"sources": {"eppn": []}})
        run = store.triggers.open(SyncRequest(tenant=TENANT, dry_run=True, settings=settings), "event").run
        complete(store, run)
        preview = preview_of(store.runs.summary(run.id), tenant(), store)
        show_preview(preview, wants_json=False)
    assert preview.as_json()["lost_match_keys"] == ["eppn"]
    said = "Warning: EPPN is a match key: no user would be found in Skolon by it any more."
    assert said in capsys.readouterr().out
