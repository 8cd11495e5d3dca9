"""Finds the Skolon user of an Entra user by the tenant's match keys."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Stage
from schemas.users.attributes import Attribute, keys_match
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.evidence import Evidence
    from workers.rules.mapping import Mapped


def match_keys_with_values(
    mapped: Mapping[Attribute, str | None], match_keys: Iterable[Attribute]
) -> dict[Attribute, str]:
    """Return the match keys that have a value for this user, in the tenant's order.

    The values are in Unicode's form C, in which servers hold what people have typed.
    """
    return {
        key: unicodedata.normalize("NFC", value)
        for key in match_keys
        if (value := mapped.get(key)) is not None
    }


@dataclass(frozen=True, kw_only=True)
class KeyMatches:
    """The Skolon users that have a user's value of one match key."""

    key: Attribute
    users: tuple[SkolonUser, ...]


@dataclass(frozen=True, kw_only=True)
class Match:
    """The matched Skolon user, and the key that matched.

    With `is_linked` an administrator has decided it, whatever the keys.
    """

    key: Attribute
    user: SkolonUser
    is_linked: bool = False


def find_matches(found: Iterable[SkolonUser], keys: Mapping[Attribute, str]) -> tuple[KeyMatches, ...]:
    """Return for each key the Skolon users that have its value.

    The values are compared here, because the server's search may find more than was asked for.
    """
    candidates = {user.id: user for user in found}
    return tuple(
        KeyMatches(key=key, users=tuple(user for user in candidates.values() if _has(user, key, value)))
        for key, value in keys.items()
    )


def own_match(found: Iterable[SkolonUser], user_id: str) -> Match | None:
    """Return the one found user that has the Entra user's id as its External Id, whatever key found it."""
    own = [
        user
        for user in found
        if (held := user.attributes.get(Attribute.EXTERNAL_ID)) is not None
        and keys_match(Attribute.EXTERNAL_ID, held, user_id)
    ]
    return Match(key=Attribute.EXTERNAL_ID, user=own[0]) if len(own) == 1 else None


def select_match(hits: Iterable[KeyMatches]) -> Match | None:
    """Return the Skolon user of the first key that matches, or None when no key matches.

    Raises `PermanentError` (`ambiguous_match`) with the Skolon ids when several users have that key's value.
    """
    for of_key in hits:
        if len(of_key.users) > 1:
            ids = tuple(sorted(user.id for user in of_key.users))
            raise PermanentError(
                Reason.AMBIGUOUS_MATCH,
                Stage.MATCH,
                Detail(DetailKind.AMBIGUOUS_MATCH, ids=ids, attribute=of_key.key),
                candidates=ids,
            )
        if of_key.users:
            return Match(key=of_key.key, user=of_key.users[0])
    return None


@dataclass(frozen=True, order=True)
class MatchStrength:
    """How strong a match is: the smaller one is the stronger. The order is total, and knows no time.

    `rank` is the place of the key that matched, `is_shared` says that its value may be a family's address.
    The Entra id decides between two accounts that match equally well.
    """

    rank: int
    is_shared: bool
    entra_id: str


def strength_of(
    user: GraphUser, match: Match, mapped: Mapped, match_keys: Sequence[Attribute]
) -> MatchStrength:
    """Return how strong the match of an Entra user is."""
    return MatchStrength(
        rank=_rank(match.key, match_keys),
        is_shared=match.key is not Attribute.EXTERNAL_ID and not is_personal(user, mapped.get(match.key)),
        entra_id=user.id.lower(),
    )


def contested_values(
    strength: MatchStrength, match: Match, match_keys: Sequence[Attribute]
) -> dict[Attribute, str]:
    """Return the values of the Skolon user by which another account may match more strongly.

    They are those of stronger keys, and of the key itself if its value may be shared. Of an External Id the
    owner is asked for anyway.
    """
    stronger = [key for key in match_keys if _rank(key, match_keys) < strength.rank]
    asked = [*stronger, match.key] if strength.is_shared else stronger
    return {
        key: value
        for key in asked
        if key is not Attribute.EXTERNAL_ID and (value := match.user.attributes.get(key)) is not None
    }


@dataclass(frozen=True, kw_only=True)
class WeighedMatch:
    """What says that an Entra user and a Skolon user are one person, or two.

    `keys` are the match keys that are equal, in the tenant's order. `is_proven` says that the evidence is
    enough.
    """

    evidence: Evidence
    keys: tuple[Attribute, ...]
    is_proven: bool


def weigh(  # noqa: PLR0913 - both users, and what decides
    user: GraphUser,
    mapped: Mapped,
    found: SkolonUser,
    *,
    key: Attribute | None,
    tenant: Tenant,
    has_other_external_id: bool,
) -> WeighedMatch:
    """Compare an Entra user with a Skolon user, of which `key` is the match key.

    The Skolon user `has_other_external_id` if it has the object id of an account that is not this user's.
    """
    evidence = compare_users(
        mapped,
        found.attributes,
        country=tenant.ssn_country,
        has_other_external_id=has_other_external_id,
    )
    return WeighedMatch(
        evidence=evidence,
        keys=equal_keys(mapped, found, tenant.match_keys),
        is_proven=evidence.proves(is_personal_key=key is not None and is_personal(user, mapped.get(key))),
    )


def equal_keys(mapped: Mapped, found: SkolonUser, match_keys: Iterable[Attribute]) -> tuple[Attribute, ...]:
    """Return the match keys of which a Skolon user has the Entra user's value, in the tenant's order."""
    keys = match_keys_with_values(mapped, match_keys)
    return tuple(key for key, value in keys.items() if _has(found, key, value))


def suspicious_match(match: Match, weighed: WeighedMatch) -> PermanentError:
    """Return the error of a match that may be another person: what agrees and what differs, no values."""
    return PermanentError(
        Reason.SUSPICIOUS_MATCH,
        Stage.MATCH,
        Detail(
            DetailKind.SUSPICIOUS_MATCH,
            skolon_user=match.user.id,
            keys=weighed.keys or (match.key,),
            agrees=tuple(sorted(weighed.evidence.agrees)),
            differs=tuple(sorted(weighed.evidence.differs)),
        ),
        candidates=(match.user.id,),
    )


def _has(user: SkolonUser, key: Attribute, value: str) -> bool:
    held = user.attributes.get(key)
    return held is not None and keys_match(key, held, value)


def _rank(key: Attribute, match_keys: Sequence[Attribute]) -> int:
    if key is Attribute.EXTERNAL_ID:
        return -1
    # A personal number may be found without being a match key.
    return match_keys.index(key) if key in match_keys else len(match_keys)
