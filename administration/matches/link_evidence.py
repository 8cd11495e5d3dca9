"""What speaks for and against a link before an administrator makes it, and what a decision has led to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from administration.matches.accounts import read_account
from schemas.outcomes import Mode
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute, keys_match
from workers.pipeline.accounts import is_object_id
from workers.rules.matching import equal_keys, weigh

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.reports.user_status import HistoryEntry
    from schemas.tenants.match_decision import MatchDecision
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from store.tenants.tenants import TenantRecord
    from workers.rules.mapping import Mapped
    from workers.rules.matching import WeighedMatch


def weigh_link(
    entra_id: str, skolon_id: str, *, record: TenantRecord, gateways: Gateways
) -> WeighedMatch | None:
    """Compare an Entra user with a Skolon user as a match would be; None if one of them cannot be read.

    Raises as the clients of Graph and Skolon do.
    """
    tenant = record.tenant
    account = read_account(entra_id, record, gateways.graph(record.credentials))
    found = gateways.skolon(tenant.skolon_target, dry_run=True).read(tenant.organisation, skolon_id)
    if account is None or found is None:
        return None
    user, mapped = account
    return weigh_candidate(user, mapped, found, tenant)


def weigh_candidate(user: GraphUser, mapped: Mapped, found: SkolonUser, tenant: Tenant) -> WeighedMatch:
    """Compare an Entra user with a Skolon user as the sync would if this one were its match.

    A Skolon user with the Entra user's id as its External Id is that user, whatever differs.
    """
    external_id = found.attributes.get(Attribute.EXTERNAL_ID)
    is_own = external_id is not None and keys_match(Attribute.EXTERNAL_ID, external_id, user.id)
    weighed = weigh(
        user,
        mapped,
        found,
        key=next(iter(equal_keys(mapped, found, tenant.match_keys)), None),
        tenant=tenant,
        has_other_external_id=is_object_id(external_id) and not is_own,
    )
    return replace(weighed, is_proven=weighed.is_proven or is_own)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a run has written for an Entra user since a decision about it."""

    user: str
    entry: HistoryEntry


def runs_that_wrote(decision: MatchDecision, *, tenant: str, store: Store) -> list[Written]:
    """Return what runs have written because of a decision, of each user the newest first.

    That is what they wrote for the users that it was about: those had waited for it. Of a linked user it is
    what was written to the linked Skolon user. What an undo has restored is left out.
    """
    named = [] if decision.entra_id is None else [decision.entra_id]
    return [
        Written(user=user, entry=entry)
        for user in dict.fromkeys([*named, *decision.affected])
        for entry in _written_since(decision, user, tenant=tenant, store=store)
    ]


def _written_since(decision: MatchDecision, user: str, *, tenant: str, store: Store) -> list[HistoryEntry]:
    is_linked = decision.kind is DecisionKind.LINK and user == decision.entra_id
    history = [
        entry
        for entry in store.user_history.entries(tenant, user)
        if entry.is_conclusive and entry.changed and (not is_linked or entry.skolon_id == decision.skolon_id)
    ]
    undone = {entry.reverts_run for entry in history if entry.mode is Mode.UNDO}
    return [
        entry
        for entry in history
        if entry.mode is not Mode.UNDO
        and entry.run not in undone
        and entry.at is not None
        and entry.at >= decision.decided_at
    ]
