"""What speaks for and against a link before an administrator makes it, and what a link has led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.matches.accounts import read_account
from schemas.outcomes import Mode
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute, keys_match
from workers.pipeline.accounts import is_object_id
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal
from workers.rules.matching import match_keys_with_values

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.reports.user_status import HistoryEntry
    from schemas.tenants.match_decision import MatchDecision
    from store.store import Store
    from store.tenants.tenants import TenantRecord
    from workers.rules.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class LinkEvidence:
    """The traits of two users that agree and differ; `is_proven` if a match would need no link."""

    evidence: Evidence
    is_proven: bool


def weigh_link(
    entra_id: str, skolon_id: str, *, record: TenantRecord, gateways: Gateways
) -> LinkEvidence | None:
    """Compare an Entra user with a Skolon user as a match would be; None if one of them cannot be read.

    Raises as the clients of Graph and Skolon do.
    """
    tenant = record.tenant
    account = read_account(entra_id, record, gateways.graph(record.credentials))
    found = gateways.skolon(tenant.skolon_target, dry_run=True).read(tenant.organisation, skolon_id)
    if account is None or found is None:
        return None
    user, mapped = account
    external_id = found.attributes.get(Attribute.EXTERNAL_ID)
    evidence = compare_users(
        mapped,
        found.attributes,
        country=tenant.ssn_country,
        has_other_external_id=is_object_id(external_id) and (external_id or "").lower() != entra_id.lower(),
    )
    has_personal_key = any(
        (held := found.attributes.get(key)) is not None
        and keys_match(key, held, value)
        and is_personal(user, value)
        for key, value in match_keys_with_values(mapped, tenant.match_keys).items()
    )
    return LinkEvidence(evidence=evidence, is_proven=evidence.proves(is_personal_key=has_personal_key))


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
    undone = {store.runs.get(entry.run).reverts_run_id for entry in history if entry.mode is Mode.UNDO}
    return [
        entry
        for entry in history
        if entry.mode is not Mode.UNDO
        and entry.run not in undone
        and entry.at is not None
        and entry.at >= decision.decided_at
    ]
