"""The sync of one user: read from Entra, scope, map, match, compare, write.

A run's worker, a dry run and a preview go through the same steps. Only the `writer` changes anything.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import VERIFYING_OUTCOMES, NotFoundReason, Outcome, Stage
from schemas.runs.run import RunWarning, WarningKind
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA, NO_MATCH_KEY, SyncResult
from schemas.tenants.selected_properties import selected_properties
from schemas.users.attributes import Attribute
from schemas.users.graph_user import is_placeholder_id, load_graph_user
from schemas.users.skolon_user import ensure_usable
from workers.pipeline import steps
from workers.pipeline.accounts import Accounts
from workers.pipeline.identity import IdentityCheck, Keeper, StrongerMatches, no_keeper
from workers.pipeline.incomplete import ensure_complete, not_valid
from workers.pipeline.matcher import Matcher
from workers.pipeline.peers import ANY_RUN
from workers.pipeline.source_order import Memory, SourceOrder, nothing_remembered
from workers.pipeline.unique_values import UniqueValues
from workers.pipeline.writer import write_until_settled
from workers.rules.birth_dates import lacks_year
from workers.rules.delta_completeness import missing_properties
from workers.rules.diff import difference, kept_blanks
from workers.rules.kept_values import altered_values, in_order
from workers.rules.mapping import (
    Mapped,
    ResolvedSource,
    invalid_user,
    invalid_values,
    mapped_values,
    resolve_sources,
)
from workers.rules.matching import match_keys_with_values
from workers.rules.scope import PROTECTED_IN_SKOLON, evaluate_scope, exclusion_reason
from workers.rules.uniqueness import temporary_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clients.gateways import Gateways
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.changes.last_writes import LastWrites
    from store.tenants.tenants import TenantRecord
    from workers.pipeline.peers import Peers
    from workers.pipeline.verification_cache import VerificationCache
    from workers.pipeline.writer import Writer
    from workers.rules.matching import Match


class SyncPipeline:
    """Brings one user of a tenant to an outcome; each user gets a new one."""

    def __init__(  # noqa: PLR0913 - what the steps need
        self,
        *,
        record: TenantRecord,
        gateways: Gateways,
        dry_run: bool,
        writer: Writer,
        claimed: bool = False,
        verifications: VerificationCache | None = None,
        peers: Peers = ANY_RUN,
        remembered_sources: Memory = nothing_remembered,
        last_writes: Callable[[], LastWrites | None] = lambda: None,
        keeper: Keeper = no_keeper,
        on_step: steps.StepListener = steps.ignore_step,
    ) -> None:
        """Take the tenant and the tools of the steps.

        A `dry_run` gets gateways that only read. `claimed` says that an earlier delivery has claimed the
        user. Without `verifications` each user is compared with Skolon. `peers` are the other users of the
        run. `remembered_sources` says where Skolon's values came from, `last_writes` what runs have written,
        and `keeper` which other tenant keeps a Skolon user. `on_step` is called after each step.
        """
        self._tenant = record.tenant
        self._gateways = gateways
        self._graph = gateways.graph(record.credentials)
        self._skolon = gateways.skolon(record.tenant.skolon_target, dry_run=dry_run)
        self._writer = writer
        self._claimed = claimed
        self._verifications = verifications
        self._on_step = on_step
        self._decisions = record.decisions
        self._matcher = Matcher(record.tenant.organisation, record.decisions, self._skolon, on_step)
        self._accounts = Accounts(record, self._graph)
        self._identity = IdentityCheck(
            record.tenant,
            accounts=self._accounts,
            matcher=self._matcher,
            stronger_matches=StrongerMatches(record, self._accounts, self._skolon),
            keeper=keeper,
            on_step=on_step,
        )
        self._peers = peers
        self._source_order = SourceOrder(record.tenant, remembered_sources)
        self._sources: Mapping[Attribute, ResolvedSource] = {}
        self._kept: frozenset[Attribute] = frozenset()
        self._last_writes = last_writes
        self._altered: frozenset[Attribute] = frozenset()
        self._newly_altered: frozenset[Attribute] = frozenset()
        self._notes: list[Detail] = []
        self._faults: dict[Attribute, Detail] = {}
        self._warnings: list[RunWarning] = []

    def run(self, user_id: str, given: object | None) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails.

        `given` is the user's data from a page of Graph; without it the user is read by id.
        """
        tenant = self._tenant
        if tenant.wants_birthdays:
            self._graph.expect_birthday()
        else:
            self._gateways.skip_birthday()
        user = self._read(user_id, given)
        if user is None:
            return NO_LONGER_IN_ENTRA
        results = evaluate_scope(user, tenant.scope, is_ignored=self._decisions.ignores(user.id))
        self._on_step(steps.ScopeStep(results=results))
        if excluded := exclusion_reason(results):
            return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=excluded)
        mapped = self._map(user)
        keys = match_keys_with_values(mapped, tenant.match_keys)
        self._matcher.check_undone(user.id, keys)
        is_linked = self._decisions.linked_skolon_id(user.id) is not None
        has_no_key = not keys and not is_linked
        if Attribute.EXTERNAL_ID in self._faults or has_no_key:
            self._check_faults()
        if has_no_key:
            return NO_MATCH_KEY
        verified = self._verifications and not self._faults and self._verifications.lookup(mapped)
        if verified:
            return replace(verified, value_sources=self._source_order.to_remember(self._sources, self._kept))
        match = self._matcher.find(user.id, keys)
        if isinstance(match, NotFoundReason):
            if match is NotFoundReason.NO_MATCH:
                self._check_faults()
            hits = self._matcher.excluded
            return SyncResult(outcome=Outcome.NOT_FOUND, not_found_reason=match, candidates=hits)
        return self._protected() if match.user.is_protected else self._sync(user, match, keys, mapped)

    def _sync(
        self, user: GraphUser, match: Match, keys: Mapping[Attribute, str], mapped: Mapped
    ) -> SyncResult:
        """Compare a user with its match, and write what differs."""
        tenant = self._tenant
        self._add_birth_date(user, match.user, mapped)
        match = self._identity.settle(user, match, mapped)
        unique_values = UniqueValues(
            user.id,
            organisation=tenant.organisation,
            skolon=self._skolon,
            accounts=self._accounts,
            peers=self._peers,
        )
        result = write_until_settled(
            match.user,
            write=partial(self._compare_and_write, unique_values, keys, user, mapped),
            read=partial(self._read_again, user, match, mapped),
            gone=Detail(DetailKind.REMOVED_DURING_RUN),
        )
        return self._completed(result)

    def _read(self, user_id: str, given: object | None) -> GraphUser | None:
        if given is not None:
            user = load_graph_user(given)
            if not missing_properties(user, self._tenant):
                self._on_step(steps.ReadStep(user=user, by_id=False))
                return user
        elif is_placeholder_id(user_id):
            raise PermanentError(Reason.INVALID_USER, Stage.READ, Detail(DetailKind.USER_WITHOUT_ID))
        raw: object = self._graph.user(user_id, selected_properties(self._tenant))
        read = None if raw is None else load_graph_user(raw)
        self._on_step(steps.ReadStep(user=read, by_id=True))
        return read

    def _map(self, user: GraphUser) -> Mapped:
        sources = self._sources = resolve_sources(user, self._tenant)
        self._on_step(steps.MapStep(sources=sources))
        return self._valid(mapped_values(sources))

    def _valid(self, mapped: Mapped) -> Mapped:
        """Return the values that keep their rules, and note what is wrong with the others."""
        faults = invalid_values(mapped, self._tenant)
        self._faults |= faults
        return {attribute: value for attribute, value in mapped.items() if attribute not in faults}

    def _check_faults(self) -> None:
        """Raise `PermanentError` (`invalid_user`) if a value breaks a rule: without it nothing matches."""
        if self._faults:
            raise invalid_user(self._faults)

    def _read_again(self, user: GraphUser, match: Match, mapped: Mapped) -> SkolonUser | None:
        """Return the Skolon user as it is now, checked again: it may have been given to another person."""
        current: SkolonUser | None = self._skolon.read(self._tenant.organisation, match.user.id)
        if current is not None:
            self._identity.check(user, replace(match, user=current), mapped)
        return current

    def _add_birth_date(self, user: GraphUser, matched: SkolonUser, mapped: Mapped) -> None:
        """Read the birth date of a matched user; other users cost no request, which saves Graph's quota."""
        if not self._tenant.wants_birthdays or Attribute.BIRTH_DATE in matched.absent:
            return
        birthday = self._accounts.birthday(user.id)
        self._on_step(steps.BirthDateStep(birthday=birthday))
        if lacks_year(birthday.value, matched.attributes.get(Attribute.BIRTH_DATE)):
            return
        if birthday.problem is None:
            mapped |= self._valid({Attribute.BIRTH_DATE: birthday.value})
        elif birthday.affects_all_users:
            self._warnings.append(RunWarning(kind=WarningKind.BIRTHDAYS_REFUSED, detail=birthday.problem))
        else:
            self._notes.append(Detail(DetailKind.BIRTH_DATE_NOT_READ, problem=birthday.problem))

    def _compare_and_write(
        self,
        unique_values: UniqueValues,
        keys: Mapping[Attribute, str],
        entra_user: GraphUser,
        mapped: Mapped,
        user: SkolonUser,
    ) -> SyncResult:
        ensure_usable(user)
        if user.is_protected:
            return self._protected()
        erase_blank = self._tenant.erase_blank
        changes = difference(user, mapped, erase_blank)
        # A temporary value that a run has left is no value to keep.
        temporary = temporary_attributes(entra_user.id, user, mapped)
        self._kept = self._source_order.kept(entra_user, self._sources, user, changes) - temporary
        not_altered = self._kept | temporary
        self._note_altered(user, {name: value for name, value in changes.items() if name not in not_altered})
        left_out = self._kept | self._altered
        changes = {name: value for name, value in changes.items() if name not in left_out}
        plan = unique_values.plan(
            user, changes, searched=keys, found=self._matcher.found, temporary=temporary
        )
        kept = kept_blanks(user, mapped, erase_blank)
        self._on_step(steps.CompareStep(user=user, changes=plan.changes, kept=kept))
        if plan.changes:
            unwritten = {**not_valid(self._faults), **plan.taken}
            return unique_values.settle(user, plan, self._writer.write(user, plan.changes, unwritten))
        # An earlier delivery has claimed the user: it made this change, and only its receipt was lost.
        outcome = Outcome.UPDATED if self._claimed else Outcome.UNCHANGED
        result = SyncResult(outcome=outcome, skolon_id=user.id, skolon_version=user.version)
        return unique_values.settle(user, plan, result)

    def _protected(self) -> SyncResult:
        """Return the result of a user that Skolon marks as protected."""
        self._on_step(steps.ScopeStep(results=(PROTECTED_IN_SKOLON,)))
        return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=exclusion_reason([PROTECTED_IN_SKOLON]))

    def _note_altered(self, user: SkolonUser, changes: Mapping[Attribute, str | None]) -> None:
        """Note the changes that a run has made before and Skolon has altered: they are not made again."""
        # A user without changes, and one that an earlier delivery has changed in this run, cost no query.
        last = self._last_writes() if changes and not self._claimed else None
        self._altered = altered_values(user, changes, last)
        self._newly_altered = self._altered - (last.altered if last else frozenset())

    def _completed(self, result: SyncResult) -> SyncResult:
        """Add the notes to the result; a user whose birth date is unknown is not verified.

        Raises `IncompleteUpdateError` if an attribute could not be written.
        """
        if self._kept:
            self._notes.append(Detail(DetailKind.VALUES_KEPT, attributes=in_order(self._kept)))
        altered = self._altered.union(result.altered)
        if altered:
            self._notes.append(Detail(DetailKind.VALUES_ALTERED, attributes=in_order(altered)))
        to_remember = self._source_order.to_remember(self._sources, self._kept)
        is_verified = result.outcome in VERIFYING_OUTCOMES and not (self._notes or self._warnings)
        completed = replace(
            result,
            unwritten={**not_valid(self._faults), **result.unwritten},
            identity_kept=tuple(sorted(self._kept)),
            altered=tuple(sorted(altered)),
            newly_altered=tuple(sorted(self._newly_altered.union(result.altered))),
            value_sources=None if result.skolon_id is None else to_remember,
            detail=result.detail or (joined(self._notes) if self._notes else None),
            warnings=tuple(self._warnings),
            verification=self._verifications.verification() if self._verifications and is_verified else None,
        )
        return ensure_complete(completed)
