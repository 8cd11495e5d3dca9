"""Notes the marks of a user on its way, as soon as it is known what Entra says of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from schemas.runs.identity_digests import IdentityDigests, identity_digests_of
from workers.pipeline import steps
from workers.rules.mapping import mapped_values

if TYPE_CHECKING:
    from schemas.crypto.blind_index import BlindIndex


class DigestObserver:
    """Is told of each step; `marks` are empty until the user is mapped."""

    def __init__(self, tenant: str, index: BlindIndex) -> None:
        self.marks = IdentityDigests()
        self._tenant = tenant
        self._index = index

    def __call__(self, step: steps.Step) -> None:
        """Take a step."""
        if isinstance(step, steps.MapStep):
            year = dt.datetime.now(dt.UTC).year
            self.marks = identity_digests_of(mapped_values(step.sources), self._tenant, self._index, year)
