"""What the API's description says, played by schemathesis over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.integration.hub.browser import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.hub.browser import Hub

#: Requests of each kind to each operation.
EXAMPLES: Final = 8


def play_described(hub: Hub, secret: str, there: Mapping[str, str], part: str = "") -> None:
    """Ask each operation whose path has the `part` for right and wrong things, with a token.

    `there` has what exists, by its name in the paths. Fails on a 5xx, an undocumented answer, and when nearly
    nothing is asked.
    """
    description = schemathesis.openapi.from_url(f"{hub.address}api/v1/openapi.json")
    operations: list[Any] = list(description.get_all_operations())
    asked = 0
    for operation in (found.ok() for found in operations):
        if part not in operation.path:
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
                    # An id or a cursor that is none of ours is refused: no schema says which those are.
                    excluded_checks=[positive_data_acceptance],
                )

            play()
    assert asked > EXAMPLES
