"""Proves that a tenant's users can be found and read in Skolon, and says what its server cannot do.

Nothing is changed, and no user of the tenant is shown. What is proven is found out anew: what was known
before proves nothing now.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from administration.tenants.check_steps import CheckResult, Severity, try_step
from clients.skolon.server.capabilities import SEARCH_CAPABILITIES, PatchForm, SearchMethod
from schemas.errors import HaltError, PermanentError, UpdateSyncError
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

_USERS: Final = "users in Skolon"
_KEYS: Final = "match keys in Skolon"
_TOGETHER: Final = "several values in one search"
_PAGES: Final = "pages in Skolon"
_READ: Final = "one user in Skolon"
_DESCRIPTION: Final = "what Skolon says of itself"
_UPDATES: Final = "updates in Skolon"

_FIX_GET: Final = (
    "ask Skolon to take POST /Users/.search (RFC 7644 section 3.4.3), and until then to keep URLs out of the "
    "logs of its servers and proxies"
)
_FIX_OR: Final = "nothing has to be done; runs are faster if Skolon takes `or` (RFC 7644 section 3.4.2.2)"
_FIX_PAGES: Final = (
    "nothing has to be done: where pages do not add up, each value is searched alone. Runs are faster if "
    "Skolon sorts all pages of a search alike (RFC 7644 section 3.4.2.4)"
)
_FIX_UPDATES: Final = (
    "ask Skolon about it (RFC 7644 sections 3.5.2 and 3.14); when it does: update-sync tenants check TENANT "
    "--forget"
)


def check_skolon(skolon: SkolonClient, tenant: Tenant) -> Iterator[CheckResult]:
    """Yield the steps; `skolon` need only be able to read."""
    organisation = tenant.organisation
    skolon.forget_capabilities(organisation, SEARCH_CAPABILITIES)
    users = _users(skolon, tenant)
    yield users
    if users.severity is Severity.ERROR:
        yield CheckResult(name=_KEYS, severity=Severity.SKIPPED, detail="users could not be searched")
        return
    inspected: list[Inspection] = []
    listing = try_step(_PAGES, lambda: _inspect(skolon, organisation, inspected))
    if not inspected:
        why = f"Skolon does not list users, so searches could not be proven: {listing.detail}"
        yield CheckResult(name=_KEYS, severity=Severity.WARNING, detail=why, fix=listing.fix)
        return
    listed, description = inspected[0].users, inspected[0].description
    if listed:
        yield _keys(skolon, organisation, tenant.match_keys, listed)
        yield _together(skolon, organisation, tenant.match_keys, listed)
        yield _pages(skolon.capabilities(organisation))
        yield _reading(skolon, organisation, listed[0].id)
    else:
        detail = "the organisation has no user that can be read, so searches could not be proven"
        yield CheckResult(name=_KEYS, severity=Severity.WARNING, detail=detail)
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
                "Skolon ignores the filter of a search: it finds users that have not the value",
            )
        return "the organisation's users can be searched"

    step = try_step(_USERS, search)
    if step.severity is not Severity.OK:
        return step
    if SkolonLack.FILTERS in tenant.skolon_lacks:
        detail = "all users are listed for that, because the tenant says that the server has no filters"
        return dataclasses.replace(step, detail=f"{step.detail}; {detail}")
    if skolon.capabilities(organisation).method is not SearchMethod.GET:
        return dataclasses.replace(step, detail=f"{step.detail}; searches by POST /.search")
    detail = (
        f"{step.detail}; searches by GET: filters, which hold e-mail addresses and personal numbers, stand "
        "in URLs"
    )
    return dataclasses.replace(step, severity=Severity.WARNING, detail=detail, fix=_FIX_GET)


def _keys(
    skolon: SkolonClient, organisation: str, keys: Sequence[Attribute], listed: Sequence[SkolonUser]
) -> CheckResult:
    """Search a listed user by each of the tenant's match keys."""
    samples = _samples(keys, listed)
    failures = {
        key: why
        for key, user in samples.items()
        if (why := _why_not_found(skolon, organisation, {key: user}, "a user that has it is not found by it"))
    }
    if failures:
        return CheckResult(
            name=_KEYS,
            severity=Severity.ERROR,
            detail="; ".join(f"{key}: {why}" for key, why in failures.items()),
            fix="ask Skolon to let users be searched by it, or leave it out of the keys: "
            "update-sync tenants set TENANT --match-keys",
        )
    detail = f"users are found by {_names(samples)}" if samples else ""
    missing = [key for key in keys if key not in samples]
    if missing:
        detail += f"{'; ' if detail else ''}none of the users that were read has {_names(missing)}"
    return CheckResult(name=_KEYS, severity=Severity.OK if samples else Severity.WARNING, detail=detail)


def _together(
    skolon: SkolonClient, organisation: str, keys: Sequence[Attribute], listed: Sequence[SkolonUser]
) -> CheckResult:
    """Search several users at once, as a run does: each of them by another key."""
    samples = _samples(keys, listed)
    if len(samples) < 2:  # noqa: PLR2004 - several
        return CheckResult(
            name=_TOGETHER, severity=Severity.SKIPPED, detail="no user has two of the match keys"
        )
    why = _why_not_found(skolon, organisation, samples, "not all of the users are found")
    if why:
        return CheckResult(name=_TOGETHER, severity=Severity.ERROR, detail=why, fix="report it")
    if skolon.capabilities(organisation).takes_or is False:
        detail = "Skolon takes one value at a time: each value is searched alone, so runs take longer"
        return CheckResult(name=_TOGETHER, severity=Severity.WARNING, detail=detail, fix=_FIX_OR)
    detail = f"one search finds users by {_names(samples)}"
    max_terms = skolon.capabilities(organisation).max_terms
    if max_terms is not None:
        detail += f"; Skolon takes {max_terms} values at a time"
    return CheckResult(name=_TOGETHER, severity=Severity.OK, detail=detail)


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
    skolon: SkolonClient, organisation: str, samples: Mapping[Attribute, SkolonUser], otherwise: str
) -> str | None:
    """Return why a search by the samples' values does not find them all, None if it does."""
    keys = {key: value for key, user in samples.items() if (value := user.attributes.get(key))}
    try:
        found = skolon.search(organisation, keys)
    except PermanentError as error:
        return f"Skolon refuses the search ({error.detail})"
    except UpdateSyncError as error:
        return str(error)
    return None if {user.id for user in samples.values()} <= {user.id for user in found} else otherwise


def _pages(known: Capabilities) -> CheckResult:
    if known.pages_add_up is False:
        return CheckResult(
            name=_PAGES,
            severity=Severity.WARNING,
            detail="pages repeat users, or leave users out",
            fix=_FIX_PAGES,
        )
    if known.pages_add_up is None:
        return CheckResult(name=_PAGES, severity=Severity.SKIPPED, detail="all users are on one page")
    how = "; they are asked for by a cursor (RFC 9865)" if known.pages_by_cursor else ""
    return CheckResult(name=_PAGES, severity=Severity.OK, detail=f"pages add up{how}")


def _reading(skolon: SkolonClient, organisation: str, user_id: str) -> CheckResult:
    def read() -> str:
        user = skolon.read(organisation, user_id)
        if user is None:
            raise UpdateSyncError("a user that Skolon lists is not there when it is read by its id")
        return "a user can be read by its id"

    return try_step(_READ, read)


def _said(description: ServerDescription, lacks: Collection[SkolonLack]) -> CheckResult:
    """Say what the server's own description means for the sync, which goes by what it finds out."""
    if description.is_empty:
        detail = "nothing: it has no ServiceProviderConfig and no Schemas, which is allowed"
        return CheckResult(name=_DESCRIPTION, severity=Severity.SKIPPED, detail=detail)
    if description.takes_updates is False and SkolonLack.PATCH not in lacks:
        return CheckResult(
            name=_DESCRIPTION,
            severity=Severity.ERROR,
            detail="it takes no PATCH, so no user can be updated",
            fix="ask Skolon to take PATCH (RFC 7644 section 3.5.2), or have whole users sent by PUT: "
            "update-sync tenants set TENANT --skolon-lacks patch",
        )
    unusable = {
        "it has no": description.missing,
        "it lets no client change": description.read_only,
        "it never shows": description.hidden,
    }
    notes = [f"{words} {_names(sorted(names))}" for words, names in unusable.items() if names]
    if notes:
        return CheckResult(
            name=_DESCRIPTION,
            severity=Severity.WARNING,
            detail="; ".join(notes),
            fix="ask Skolon about it; what the sync cannot write it names in runs show",
        )
    detail = "it takes PATCH" if description.takes_updates else "nothing against updates"
    if description.has_schemas:
        detail += ", and has all attributes of the sync"
    return CheckResult(name=_DESCRIPTION, severity=Severity.OK, detail=detail)


def _updates(known: Capabilities) -> Iterator[CheckResult]:
    """Yield what updates have found out about the server; a check changes no user to find it out."""
    lacks = []
    if not known.knows_versions:
        lacks.append(
            "refuses the versions that it gives, so changes of another program between reading and writing "
            "are not noticed"
        )
    if known.read_only:
        lacks.append(f"lets no client change {_names(sorted(known.read_only))} (mutability)")
    if known.unaccepted:
        lacks.append(f"takes {_names(sorted(known.unaccepted))} in no form of PATCH")
    forms = sorted({form for form in known.patch_forms.values() if form is not PatchForm.PATHS})
    notes = [f"Skolon {lack}" for lack in lacks]
    if forms:
        notes.append(f"Skolon does not take every PATCH by paths; the sync sends it as {', '.join(forms)}")
    if notes:
        yield CheckResult(
            name=_UPDATES,
            severity=Severity.WARNING if lacks else Severity.OK,
            detail="; ".join(notes),
            fix=_FIX_UPDATES if lacks else None,
        )


def _names(attributes: Collection[Attribute]) -> str:
    return ", ".join(map(str, attributes))
