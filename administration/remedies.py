"""Who must act on a reason or cause, and how, as JSON in all languages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from schemas.reports.remedies import names_holder, owner_of, remedy_for
from schemas.reports.remedy import Language
from schemas.tenants.tenant_status import REASONS_OF_SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection

    from schemas.dead_letter_reasons import Reason
    from schemas.reports.remedy import Owner
    from store.store import Store


class FailureOwners:
    """Tells who must act on failures of users.

    What fails for most users of a tenant is the settings' fault. How many that are is asked of the database
    once for each tenant, and only for reasons where it matters.
    """

    def __init__(self, store: Store, tenants: Collection[str] = ()) -> None:
        """Take the tenants that are known to be asked about: they are looked up together."""
        self._store = store
        self._expected = frozenset(tenants)
        self._widespread: dict[str, frozenset[Reason]] = {}

    def of(self, tenant: str | None, reason: Reason, detail: str | None) -> Owner:
        """Return who must act on the failure of one user, which has this detail."""
        return self.of_group(tenant, reason, is_held_in_entra=names_holder(detail))

    def of_group(self, tenant: str | None, reason: Reason, *, is_held_in_entra: bool) -> Owner:
        """Return who must act on failures for a reason; see `owner_of`."""
        is_widespread = (
            tenant is not None and reason in REASONS_OF_SOURCES and reason in self._reasons(tenant)
        )
        return owner_of(reason, is_held_in_entra=is_held_in_entra, is_widespread=is_widespread)

    def _reasons(self, tenant: str) -> frozenset[Reason]:
        """Return the reasons for which most users of a tenant fail."""
        if tenant not in self._widespread:
            keys = {tenant, *self._expected}
            totals = self._store.tenant_overviews.user_totals(dt.datetime.now(dt.UTC), keys)
            # A tenant that is removed has dead letters still.
            self._widespread |= dict.fromkeys(keys, frozenset())
            self._widespread |= {key: each.widespread for key, each in totals.items()}
        return self._widespread[tenant]


def remedy_json(reason: Reason, owner: Owner) -> dict[str, Any]:
    """Return who must act, what happened and how to fix it, in all languages."""
    explained = remedy_for(reason, owner=owner)
    texts = {
        str(language): {"what_happened": text.what_happened, "fix": text.fix}
        for language, text in ((language, explained.texts[language]) for language in Language)
    }
    return {"owner": str(owner), "explanation": texts}
