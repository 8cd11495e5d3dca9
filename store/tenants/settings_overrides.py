"""A tenant's settings as a run goes by them: as they are saved, or as the run tries them."""

from __future__ import annotations

import dataclasses
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache

from schemas.tenants.settings_override import apply_override
from store.encryption.scope_rules import decrypt_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.encryption import FieldCipher
    from schemas.runs.run import Run
    from store.receipts.work_items import WorkItem
    from store.runs.runs import Runs
    from store.tenants.tenants import TenantRecord, Tenants

#: How many runs' trials a process keeps at hand (promise P10).
KEPT: Final = 100


class SettingsOverrides:
    """Gives each run its settings; may be shared by threads. Credentials are always the tenant's."""

    def __init__(self, runs: Runs, tenants: Tenants, cipher: FieldCipher) -> None:
        self._runs = runs
        self._tenants = tenants
        self._cipher = cipher
        self._kept: LRUCache[tuple[int, int], TenantRecord] = LRUCache(KEPT)
        self._lock = Lock()

    def settings(self, run: Run) -> dict[str, Any]:
        """Return the settings that a run tries, with the values of its rules in the clear."""
        return decrypt_rules(run.settings_override or {}, self._cipher)

    def for_run(self, run: Run) -> TenantRecord:
        """Return the settings for reading a run's people, as they are in the database now."""
        record = self._tenants.get(run.tenant)
        if run.settings_override is None:
            return record
        return _with_override(record, self.settings(run))

    def for_user(self, run_id: int, item: WorkItem) -> TenantRecord:
        """Return the settings for a user of a run, from memory when they are at hand."""
        record = self._tenants.at_version(item.tenant, item.tenant_version, tenant_id=item.tenant_id)
        if not item.has_settings_override:
            return record
        key = run_id, record.version
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            trial = self.settings(self._runs.get(run_id))
            kept = _with_override(record, trial)
            with self._lock:
                self._kept[key] = kept
        return kept


def _with_override(record: TenantRecord, trial: Mapping[str, Any]) -> TenantRecord:
    return dataclasses.replace(record, tenant=apply_override(record.tenant, trial), saved=record.tenant)
