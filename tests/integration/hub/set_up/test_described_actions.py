"""What programs may do to a connection and a mapping: schemathesis acts, with a token that may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from schemas.hub.action import Actor
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.set_up.test_set_up import added

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

#: Requests of each kind to each operation.
EXAMPLES: Final = 8


@pytest.mark.parametrize("part", ["connection", "mapping"])
def test_only_what_is_described_is_answered(hub: Hub, operator: Browser, store: Store, part: str) -> None:
    """Right and wrong things: no 5xx, and no undocumented answer."""
    tenant = added(operator, store)
    draft = store.mapping_drafts.add(tenant, store.tenants.outline(tenant).sources, Actor())
    made = operator.submit(f"tenants/{tenant}/tokens/", None, label=f"All {part}", may_act="yes")
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]
    description = schemathesis.openapi.from_url(f"{hub.address}api/v1/openapi.json")
    there = {"tenant": tenant, "draft": str(draft), "change": "1"}
    found: list[Any] = list(description.get_all_operations())
    operations = [each.ok() for each in found]
    asked = 0
    for operation in operations:
        if f"/{part}" not in operation.path:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )
            @given(case=operation.as_strategy(generation_mode=mode), is_there=st.booleans())
            def play(case: Any, is_there: bool) -> None:  # noqa: FBT001 - hypothesis gives it
                nonlocal asked
                asked += 1
                if is_there:
                    case.path_parameters = {name: there[name] for name in case.path_parameters or {}}
                case.call_and_validate(
                    headers={"Authorization": f"Bearer {secret}"},
                    timeout=DEADLINE,
                    # An id that Entra does not have is refused: no schema says which those are.
                    excluded_checks=[positive_data_acceptance],
                )

            play()
    assert asked > EXAMPLES
    assert secret not in hub.log.read_text(encoding="utf-8")
