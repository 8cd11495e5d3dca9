"""Proves that a tenant's users can be found and read in Skolon, and says what its server cannot do.

Nothing is changed, and no user of the tenant is shown. What is proven is found out anew: what was known
before proves nothing now.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from administration.tenants.check_steps import CheckResult, CheckStep, Severity, fix, try_step
from clients.skolon.server.capabilities import SEARCH_CAPABILITIES, PatchForm, SearchMethod
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, PermanentError, TransientError, UpdateSyncError
from schemas.outcomes import Cause
from schemas.tenants.skolon_target import SkolonLack
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from clients.skolon.interface import SkolonClient
    from clients.skolon.server.capabilities import Capabilities
    from clients.skolon.server.descriptions import ServerDescription
    from clients.skolon.server.inspection import Inspection
    from schemas.tenants.tenant import Tenant
    from schemas.users.skolon_user import SkolonUser

#: An External Id that no Skolon user has.
_NO_SUCH_ID: Final = "update-sync-check-that-finds-no-user"


def check_skolon(skolon: SkolonClient, tenant: Tenant) -> Iterator[CheckResult]:
    """Yield the steps; `skolon` need only be able to read."""
    organisation = tenant.organisation
    skolon.forget_capabilities(organisation, SEARCH_CAPABILITIES)
    users = _users(skolon, tenant)
    yield users
    if users.severity is Severity.ERROR:
        yield CheckResult(
            name=CheckStep.MATCH_KEYS,
            severity=Severity.SKIPPED,
            detail=Detail(DetailKind.USERS_NOT_SEARCHABLE),
        )
        return
    inspected: list[Inspection] = []
    listing = try_step(CheckStep.PAGES, lambda: _inspect(skolon, organisation, inspected))
    if not inspected:
        why = Detail(DetailKind.USERS_NOT_LISTED, problem=listing.detail)
        yield CheckResult(name=CheckStep.MATCH_KEYS, severity=Severity.WARNING, detail=why, fix=listing.fix)
        return
    listed, description = inspected[0].users, inspected[0].description
    if listed:
        yield _keys(skolon, organisation, tenant.match_keys, listed)
        yield _together(skolon, organisation, tenant.match_keys, listed)
        yield _pages(skolon.capabilities(organisation))
        yield _reading(skolon, organisation, listed[0].id)
    else:
        detail = Detail(DetailKind.NO_USER_READABLE)
        yield CheckResult(name=CheckStep.MATCH_KEYS, severity=Severity.WARNING, detail=detail)
    yield _said(description, tenant.skolon_lacks)
    yield from _updates(skolon.capabilities(organisation))


def _inspect(skolon: SkolonClient, organisation: str, inspected: list[Inspection]) -> str:
    inspected.append(skolon.inspect(organisation))
    return ""


def _users(skolon: SkolonClient, tenant: Tenant) -> CheckResult:
    organisation = tenant.organisation

    def search() -> str:
        if skolon.search(organisation, {Attribute.EXTERNAL_ID: _NO_SUCH_ID}):
            raise HaltError(
                Cause.SKOLON_SEARCH,
                Detail(DetailKind.FILTER_IGNORED),
            )
        return Detail(DetailKind.USERS_SEARCHABLE)

    step = try_step(CheckStep.SKOLON_USERS, search)
    if step.severity is not Severity.OK:
        return step
    if SkolonLack.FILTERS in tenant.skolon_lacks:
        detail = joined([step.detail, Detail(DetailKind.LISTED_INSTEAD_OF_SEARCHED)])
        return dataclasses.replace(step, detail=detail)
    if skolon.capabilities(organisation).method is not SearchMethod.GET:
        by_post = joined([step.detail, Detail(DetailKind.SEARCHES_BY_POST)])
        return dataclasses.replace(step, detail=by_post)
    detail = joined([step.detail, Detail(DetailKind.SEARCHES_BY_GET)])
    return dataclasses.replace(step, severity=Severity.WARNING, detail=detail, fix=fix(DetailKind.FIX_GET))


def _keys(
    skolon: SkolonClient, organisation: str, keys: Sequence[Attribute], listed: Sequence[SkolonUser]
) -> CheckResult:
    """Search a listed user by each of the tenant's match keys."""
    samples = _samples(keys, listed)
    failures = {
        key: why
        for key, user in samples.items()
        if (why := _why_not_found(skolon, organisation, {key: user}, DetailKind.NOT_FOUND_BY_KEY))
    }
    if failures:
        return CheckResult(
            name=CheckStep.MATCH_KEYS,
            severity=Severity.ERROR,
            detail=joined(
                Detail(DetailKind.KEY_NOT_FOUND, key=key, why=why) for key, why in failures.items()
            ),
            fix=fix(DetailKind.FIX_KEYS),
        )
    details = [Detail(DetailKind.FOUND_BY, keys=tuple(samples))] if samples else []
    missing = tuple(key for key in keys if key not in samples)
    if missing:
        details.append(Detail(DetailKind.KEYS_WITHOUT_VALUE, keys=missing))
    severity = Severity.OK if samples else Severity.WARNING
    return CheckResult(name=CheckStep.MATCH_KEYS, severity=severity, detail=joined(details))


def _together(
    skolon: SkolonClient, organisation: str, keys: Sequence[Attribute], listed: Sequence[SkolonUser]
) -> CheckResult:
    """Search several users at once, as a run does: each of them by another key."""
    samples = _samples(keys, listed)
    if len(samples) < 2:  # noqa: PLR2004 - several
        return CheckResult(
            name=CheckStep.SEVERAL_VALUES, severity=Severity.SKIPPED, detail=Detail(DetailKind.TOO_FEW_KEYS)
        )
    why = _why_not_found(skolon, organisation, samples, DetailKind.NOT_ALL_FOUND)
    if why:
        return CheckResult(
            name=CheckStep.SEVERAL_VALUES, severity=Severity.ERROR, detail=why, fix=fix(DetailKind.FIX_REPORT)
        )
    if skolon.capabilities(organisation).takes_or is False:
        detail = Detail(DetailKind.ONE_VALUE_AT_A_TIME)
        return CheckResult(
            name=CheckStep.SEVERAL_VALUES,
            severity=Severity.WARNING,
            detail=detail,
            fix=fix(DetailKind.FIX_OR),
        )
    details = [Detail(DetailKind.FOUND_TOGETHER, keys=tuple(samples))]
    max_terms = skolon.capabilities(organisation).max_terms
    if max_terms is not None:
        details.append(Detail(DetailKind.VALUES_AT_A_TIME, limit=max_terms))
    return CheckResult(name=CheckStep.SEVERAL_VALUES, severity=Severity.OK, detail=joined(details))


def _samples(keys: Sequence[Attribute], listed: Sequence[SkolonUser]) -> dict[Attribute, SkolonUser]:
    """Return a user that has each key, as far as there is one, and different users where there are."""
    samples: dict[Attribute, SkolonUser] = {}
    for place, key in enumerate(keys):
        # Begin with another user for each key: a search that looks at one term alone finds one user then.
        in_turn = [*listed[place % len(listed) :], *listed[: place % len(listed)]]
        user = next((each for each in in_turn if each.attributes.get(key)), None)
        if user is not None:
            samples[key] = user
    return samples


def _why_not_found(
    skolon: SkolonClient, organisation: str, samples: Mapping[Attribute, SkolonUser], otherwise: DetailKind
) -> str | None:
    """Return why a search by the samples' values does not find them all, None if it does."""
    keys = {key: value for key, user in samples.items() if (value := user.attributes.get(key))}
    try:
        found = skolon.search(organisation, keys)
    except PermanentError as error:
        return Detail(DetailKind.SEARCH_REFUSED, answer=error.detail)
    except (HaltError, TransientError) as error:
        return error.detail
    return (
        None if {user.id for user in samples.values()} <= {user.id for user in found} else Detail(otherwise)
    )


def _pages(known: Capabilities) -> CheckResult:
    if known.pages_add_up is False:
        return CheckResult(
            name=CheckStep.PAGES,
            severity=Severity.WARNING,
            detail=Detail(DetailKind.PAGES_UNRELIABLE),
            fix=fix(DetailKind.FIX_PAGES),
        )
    if known.pages_add_up is None:
        return CheckResult(
            name=CheckStep.PAGES, severity=Severity.SKIPPED, detail=Detail(DetailKind.ONE_PAGE)
        )
    details = [Detail(DetailKind.PAGES_ADD_UP)]
    if known.pages_by_cursor:
        details.append(Detail(DetailKind.PAGES_BY_CURSOR))
    return CheckResult(name=CheckStep.PAGES, severity=Severity.OK, detail=joined(details))


def _reading(skolon: SkolonClient, organisation: str, user_id: str) -> CheckResult:
    def read() -> str:
        user = skolon.read(organisation, user_id)
        if user is None:
            raise UpdateSyncError(Detail(DetailKind.LISTED_BUT_UNREADABLE))
        return Detail(DetailKind.READABLE_BY_ID)

    return try_step(CheckStep.ONE_USER, read)


def _said(description: ServerDescription, lacks: Collection[SkolonLack]) -> CheckResult:
    """Say what the server's own description means for the sync, which goes by what it finds out."""
    if description.is_empty:
        detail = Detail(DetailKind.NOT_DESCRIBED)
        return CheckResult(name=CheckStep.DESCRIPTION, severity=Severity.SKIPPED, detail=detail)
    if description.takes_updates is False and SkolonLack.PATCH not in lacks:
        return CheckResult(
            name=CheckStep.DESCRIPTION,
            severity=Severity.ERROR,
            detail=Detail(DetailKind.TAKES_NO_PATCH),
            fix=fix(DetailKind.FIX_PATCH),
        )
    unusable = {
        DetailKind.LACKS_ATTRIBUTES: description.missing,
        DetailKind.READ_ONLY_ATTRIBUTES: description.read_only,
        DetailKind.HIDDEN_ATTRIBUTES: description.hidden,
    }
    notes = [Detail(kind, attributes=tuple(sorted(names))) for kind, names in unusable.items() if names]
    if notes:
        return CheckResult(
            name=CheckStep.DESCRIPTION,
            severity=Severity.WARNING,
            detail=joined(notes),
            fix=fix(DetailKind.FIX_ATTRIBUTES),
        )
    takes = DetailKind.TAKES_PATCH if description.takes_updates else DetailKind.NOTHING_AGAINST_UPDATES
    detail = Detail(takes)
    if description.has_schemas:
        detail = Detail(DetailKind.HAS_ATTRIBUTES, fact=detail)
    return CheckResult(name=CheckStep.DESCRIPTION, severity=Severity.OK, detail=detail)


def _updates(known: Capabilities) -> Iterator[CheckResult]:
    """Yield what updates have found out about the server; a check changes no user to find it out."""
    lacks = []
    if not known.knows_versions:
        lacks.append(Detail(DetailKind.REFUSES_VERSIONS))
    if known.read_only:
        lacks.append(Detail(DetailKind.CHANGES_NOT_LET, attributes=tuple(sorted(known.read_only))))
    if known.unaccepted:
        lacks.append(Detail(DetailKind.NO_FORM_TAKEN, attributes=tuple(sorted(known.unaccepted))))
    forms = sorted({form for form in known.patch_forms.values() if form is not PatchForm.PATHS})
    notes = [*lacks]
    if forms:
        notes.append(Detail(DetailKind.OTHER_FORMS, forms=tuple(map(str, forms))))
    if notes:
        yield CheckResult(
            name=CheckStep.UPDATES,
            severity=Severity.WARNING if lacks else Severity.OK,
            detail=joined(notes),
            fix=fix(DetailKind.FIX_UPDATES) if lacks else None,
        )
