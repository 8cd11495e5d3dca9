"""Finds a tenant's users by Entra id, Skolon id, EPPN, e-mail address, user principal name or name."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from schemas.crypto.encryption import FieldCipher
from schemas.errors import HaltError, PermanentError, TransientError, UsageError
from schemas.fields import is_object_id
from schemas.reports.user_status import skolon_user_of
from schemas.runs.identity_digests import normalize_eppn
from schemas.users.attributes import EXTENSION_ATTRIBUTES, Attribute
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.gateways import Gateways
    from clients.graph.client import GraphClient
    from schemas.tenants.match_decision import MatchDecision
    from schemas.tenants.tenant import Tenant
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store

#: What can be an id of Skolon's: it has a digit, and is no address and no name.
_SKOLON_ID: Final = re.compile(r"(?=.*\d)[\w.-]{1,255}", re.ASCII)

#: What can be a personal number of a Nordic country.
_PERSONAL_NUMBER: Final = re.compile(r"\d{6,8}[-+A-Fa-fU-Yu-y]?[\dA-Za-z]{4,5}")

#: The attributes of Skolon in which an address may stand.
_ADDRESSES: Final = (Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL)

#: Users that one name or address finds at most.
MAX_FOUND: Final = 10


def find_user_ids(tenant: str, identifier: str, *, store: Store, keys: Sequence[str]) -> list[str]:
    """Return the Entra ids of the users that the tenant's runs know by that id or EPPN.

    By a Skolon id they are the users that are that Skolon user, or may be it. `keys` are the secret keys,
    needed for an EPPN. Raises `UsageError` without them, and for a blank text: it would find users that have
    no surname.
    """
    if not identifier.strip():
        raise UsageError("The user is blank: give an id, an address or a name.")
    marks = []
    if "@" in identifier:
        marks = FieldCipher(keys).index.digests(tenant, Attribute.EPPN, normalize_eppn(identifier))
    entra_id = identifier.lower() if is_object_id(identifier) else identifier
    found = list(store.user_history.find_user_ids(tenant, entra_id, marks))
    if entra_id in found:
        return found
    return list(dict.fromkeys([*users_of_skolon_user(tenant, identifier, store=store), *found]))


def users_of_skolon_user(tenant: str, skolon_id: str, *, store: Store) -> list[str]:
    """Return the Entra users that a Skolon user is by the runs or by a link, and those that it may be."""
    had = store.user_history.find_by_skolon_id(tenant, skolon_id)
    users = [user for user in had if skolon_user_of(store.user_history.entries(tenant, user)) == skolon_id]
    decision = decision_about(tenant, skolon_id, store=store)
    if decision is not None and decision.entra_id is not None:
        users.insert(0, decision.entra_id)
    return [*users, *store.pending_matches.affected_users(tenant, skolon_id=skolon_id)]


def decision_about(tenant: str, skolon_id: str, *, store: Store) -> MatchDecision | None:
    """Return the decision about a Skolon user, None if there is none or the text is no Skolon id.

    Raises `UsageError` if there is no such tenant.
    """
    decisions = store.match_decisions.list(tenant)
    return next((each for each in decisions if each.skolon_id == skolon_id), None)


def find_users(
    tenant: str, identifier: str, *, store: Store, gateways: Gateways, keys: Sequence[str]
) -> list[str]:
    """Return the Entra ids of the users of that id, address or name, in the runs and in Entra now.

    An id that no run knows is returned as it is, if it can be one and Skolon does not know it. Entra is not
    asked about a Skolon user that the runs know, or of which a decision is. Where Entra finds none, the users
    of Skolon's users of that id or address are returned. Raises `UsageError` if there is no such tenant, and
    what Graph or Skolon raises if only these could know the user.
    """
    record = store.tenants.get(tenant)
    found = find_user_ids(tenant, identifier, store=store, keys=keys)
    if (found and is_object_id(identifier)) or decision_about(tenant, identifier, store=store) is not None:
        return found
    graph = gateways.graph(record.credentials)
    is_id = is_object_id(identifier)
    try:
        entra = [] if is_id else search_entra(identifier, record.tenant, graph)
        if not (found or entra):
            entra = users_by_skolon(identifier, record.tenant, graph, store=store, gateways=gateways)
    except (HaltError, TransientError):
        # An id that Entra has is that user's, whether or not Skolon can be asked about it.
        if not (found or (is_id and _is_in_entra(identifier, graph))):
            raise
        entra = []
    return list(dict.fromkeys([*found, *entra])) or ([identifier.lower()] if is_id else [])


def _is_in_entra(entra_id: str, graph: GraphClient) -> bool:
    with suppress(HaltError, TransientError, PermanentError):
        return graph.user(entra_id.lower(), ("id",)) is not None
    # Who cannot be asked may have it: the user's own page says that Entra is away.
    return True


def users_by_skolon(
    identifier: str, tenant: Tenant, graph: GraphClient, *, store: Store, gateways: Gateways
) -> list[str]:
    """Return the Entra ids of the users that Skolon knows by an id or an address that Entra does not have.

    They are found by the External Id, by the runs, or by the addresses that Skolon has. Raises as the clients
    do; a Skolon that refuses the question knows none.
    """
    found: list[str] = []
    for user in _skolon_users(identifier, tenant, gateways):
        external = user.attributes.get(Attribute.EXTERNAL_ID) or ""
        if is_object_id(external) and graph.user(external, ("id",)) is not None:
            found.append(external.lower())
            continue
        known = users_of_skolon_user(tenant.key, user.id, store=store)
        values = {user.attributes.get(name) for name in _ADDRESSES} - {identifier}
        others = (search_entra(value, tenant, graph) for value in sorted(filter(None, values)))
        found += known or [each for several in others for each in several]
    return list(dict.fromkeys(found))


def users_with_skolon_id(
    tenant: str, skolon_id: str, *, store: Store, gateways: Gateways | None
) -> list[str]:
    """Return the Entra users that a Skolon user is, by the runs or by Skolon and Entra now.

    A service that refuses to answer knows none. Raises `TransientError` while one is away.
    """
    known = users_of_skolon_user(tenant, skolon_id, store=store)
    if known or gateways is None or not may_be_skolon_id(skolon_id):
        return known
    record = store.tenants.get(tenant)
    with suppress(HaltError):
        graph = gateways.graph(record.credentials)
        return users_by_skolon(skolon_id, record.tenant, graph, store=store, gateways=gateways)
    return []


def _skolon_users(identifier: str, tenant: Tenant, gateways: Gateways) -> Sequence[SkolonUser]:
    with suppress(PermanentError):
        skolon = gateways.skolon(tenant.skolon_target, dry_run=True)
        if "@" in identifier:
            return skolon.search(tenant.organisation, dict.fromkeys(_ADDRESSES, identifier))[:MAX_FOUND]
        if may_be_skolon_id(identifier):
            user = skolon.read(tenant.organisation, identifier)
            return () if user is None else (user,)
    return ()


def may_be_skolon_id(text: str) -> bool:
    """Say whether a text may be an id of Skolon's: what is none must not be asked for in a URL."""
    return bool(_SKOLON_ID.fullmatch(text)) and not _PERSONAL_NUMBER.fullmatch(text)


def resolve_entra_id(
    tenant: str, identifier: str, *, store: Store, gateways: Gateways, keys: Sequence[str]
) -> str:
    """Return the one user of that id, address or name; raises as `find_users` does.

    Raises `UsageError` if several users match, or none does.
    """
    found = find_users(tenant, identifier, store=store, gateways=gateways, keys=keys)
    if len(found) > MAX_FOUND:
        raise too_many_found(found)
    if len(found) > 1:
        raise UsageError(f"Several users match: {', '.join(found)}. Give one of these ids.")
    if not found:
        raise not_found(tenant, identifier, store=store, gateways=gateways)
    return found[0]


def too_many_found(found: Sequence[str]) -> UsageError:
    """Return the error of what too many users are called."""
    return UsageError(f"{len(found)} users match: give an id, an address or the whole name.")


def not_found(tenant: str, identifier: str, *, store: Store, gateways: Gateways | None = None) -> UsageError:
    """Return the error of what no user is called.

    A Skolon user is named that an earlier run knew, or that Skolon has, which is asked if there are gateways.
    """
    former = store.user_history.find_by_skolon_id(tenant, identifier)
    if former:
        return UsageError(
            f"No user is Skolon user {identifier} now. Earlier runs took it for {', '.join(former)}: "
            f"'users show {tenant} {former[0]}' shows them."
        )
    if gateways is not None and _is_in_skolon(tenant, identifier, store=store, gateways=gateways):
        return UsageError(
            f"Skolon has user {identifier}, but no run has matched an Entra user to it. Show the person by "
            f"the Entra id, an address or the name. 'matches link {tenant} ENTRA_ID {identifier}' decides "
            "that an Entra user is this Skolon user."
        )
    return UsageError(
        f"No user with that id, address or name was found in '{tenant}', in Entra or in its runs."
    )


def _is_in_skolon(tenant: str, identifier: str, *, store: Store, gateways: Gateways) -> bool:
    """Say whether Skolon has a user of that id."""
    if not may_be_skolon_id(identifier):
        return False
    settings = store.tenants.get(tenant).tenant
    with suppress(HaltError, TransientError, PermanentError):
        skolon = gateways.skolon(settings.skolon_target, dry_run=True)
        return skolon.read(settings.organisation, identifier) is not None
    return False


def search_entra(identifier: str, tenant: Tenant, graph: GraphClient) -> list[str]:
    """Return the ids of the users in Entra that have an address or a name now; no value is in a URL.

    With an `@` it is a user principal name, an e-mail address or an EPPN; without one a display name or a
    surname, in which Entra may have other spaces. An id is returned as it is, whether or not there is such a
    user. Raises as `GraphClient` does.
    """
    if is_object_id(identifier):
        return [identifier.lower()]
    names = ["displayName", "surname"]
    if "@" in identifier:
        eppn = [source for source in tenant.sources[Attribute.EPPN] if source in EXTENSION_ATTRIBUTES]
        names = ["userPrincipalName", "mail", "otherMails", *eppn]
    words = identifier.split()
    texts = dict.fromkeys((identifier, " ".join(words), "  ".join(words)))
    found: list[Any] = graph.find_users([(name, text) for text in texts for name in names], ())
    ids = (each.get("id") for each in found if isinstance(each, dict))
    return list(dict.fromkeys(each for each in ids if isinstance(each, str) and is_entra_id(each)))
