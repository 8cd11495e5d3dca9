"""What speaks for and against a link before an administrator makes it, and what a link has led to."""

from __future__ import annotations

from dataclasses import replace
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


def runs_that_wrote(decision: MatchDecision, *, tenant: str, store: Store) -> list[HistoryEntry]:
    """Return what runs have written to a Skolon user because of a link, the newest first.

    What an undo has restored is left out.
    """
    if decision.kind is not DecisionKind.LINK or decision.entra_id is None:
        return []
    history = [
        entry
        for entry in store.user_history.entries(tenant, decision.entra_id)
        if entry.is_conclusive and entry.changed and entry.skolon_id == decision.skolon_id
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
