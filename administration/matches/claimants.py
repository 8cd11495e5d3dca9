"""The other Entra users that claim a Skolon user, with their values beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from administration.matches.accounts import read_account
from administration.users.redaction import shown_value
from schemas.users.attributes import values_match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clients.graph.client import GraphClient
    from schemas.runs.collision import Collision
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from store.tenants.tenants import TenantRecord
    from workers.rules.mapping import Mapped

#: Claimants of one Skolon user that are shown.
_MAX_SHOWN: Final = 5


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """Another Entra user that claims a Skolon user, and what it is mapped to.

    `tenant` is its tenant's key if that is another one; then, and if the user is gone, `mapped` is empty.
    `keeps` says that the Skolon user is kept for it, and not for the user that is shown.
    """

    user: str
    keeps: bool
    tenant: str | None = None
    mapped: Mapped = field(default_factory=dict)

    def as_json(self, skolon_user: SkolonUser, *, values: bool) -> dict[str, Any]:
        """Return it beside the Skolon user; values only with `values`, else their shape."""
        return {
            "user": self.user,
            "tenant": self.tenant,
            "keeps": self.keeps,
            "attributes": [
                {
                    "attribute": str(attribute),
                    "entra": shown_value(attribute, value, values=values),
                    "agrees": values_match(attribute, skolon_user.attributes.get(attribute), value),
                }
                for attribute, value in self.mapped.items()
            ],
        }


class ClaimantReader:
    """Reads the claimants of Skolon users that are not the user that is shown; values are read once."""

    def __init__(self, user: str, record: TenantRecord, graph: GraphClient, store: Store) -> None:
        self._user = user.lower()
        self._record = record
        self._graph = graph
        self._store = store
        self._read: dict[str, Mapped] = {}

    def of(self, skolon_id: str, collisions: Iterable[Collision]) -> list[Claimant]:
        """Return the claimants of a Skolon user: who keeps it by a collision or a link, and who waits for it.

        Raises as `GraphClient` does.
        """
        keepers = {
            each.holder_entra_id.lower(): each.holder_tenant
            for each in collisions
            if each.skolon_id == skolon_id and each.attribute is None and each.holder_entra_id is not None
        }
        decision = self._record.decisions.by_skolon_id.get(skolon_id)
        if decision is not None and decision.entra_id is not None:
            keepers.setdefault(decision.entra_id.lower(), None)
        waiting = self._store.pending_matches.load(
            self._record.tenant.key, skolon_id=skolon_id, limit=_MAX_SHOWN
        ).matches
        users = dict.fromkeys([*keepers, *(each.entra_id.lower() for each in waiting)])
        return [
            Claimant(
                user=user,
                keeps=user in keepers,
                tenant=keepers.get(user),
                mapped={} if keepers.get(user) else self._values(user),
            )
            for user in users
            if user != self._user
        ][:_MAX_SHOWN]

    def _values(self, user: str) -> Mapped:
        if user not in self._read:
            account = read_account(user, self._record, self._graph)
            self._read[user] = {} if account is None else account[1]
        return self._read[user]
