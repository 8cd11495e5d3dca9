"""What programs may do to a connection and a mapping: schemathesis acts, with a token that may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.hub.action import Actor
from tests.integration.hub.described import play_described
from tests.integration.hub.set_up.test_set_up import added

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub


@pytest.mark.parametrize("part", ["connection", "mapping"])
def test_only_what_is_described_is_answered(hub: Hub, operator: Browser, store: Store, part: str) -> None:
    """Right and wrong things: no 5xx, and no undocumented answer."""
    tenant = added(operator, store)
    active = store.tenants.outline(tenant).sources
    draft = store.mapping_drafts.add(tenant, active, Actor(), base=active)
    made = operator.submit(f"tenants/{tenant}/tokens/", None, label=f"All {part}", may_act="yes")
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]
    there = {"tenant": tenant, "draft": str(draft), "change": "1"}
    play_described(hub, secret, there, f"/{part}")
