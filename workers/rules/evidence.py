"""Whether an Entra user and the Skolon user that a match key found are the same person: pure decisions.

A key alone proves little: addresses are handed on, shared by siblings, and typed by hand. So names, birth
dates and personal numbers are compared before anything is written. Values are compared here and never leave.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.users.attributes import Attribute
from workers.rules.national_ids import birth_date_of, is_provisional, same_number

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Letters that Unicode does not decompose and that are also written in another way.
_LETTERS: Final = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th"})

#: Dates that directories give when none is known: before it, no living pupil or teacher was born.
_FIRST_BIRTH_YEAR: Final = 1901

_ISO_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")

#: Keys that name one person by their purpose. An e-mail address may be a family's.
_PERSONAL_KEYS: Final = frozenset(
    {Attribute.EPPN, Attribute.USER_NAME, Attribute.IDP_IDENTIFIER, Attribute.SSN}
)


class Trait(StrEnum):
    """What two users are compared by."""

    PERSONAL_NUMBER = "personal_number"
    BIRTH_DATE = "birth_date"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EXTERNAL_ID = "external_id"


_NAMES: Final = frozenset({Trait.FIRST_NAME, Trait.LAST_NAME})


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Which traits agree and which differ; a trait that one of the two lacks is in neither."""

    agrees: frozenset[Trait]
    differs: frozenset[Trait]

    def proves(self, key: Attribute) -> bool:
        """Say whether it is enough for a match by `key`.

        A match by External Id needs none: we or an administrator have written it. Otherwise the personal
        number decides where both have one, and then the birth date; siblings and twins share a last name, an
        address and perhaps the birth date, so one of these alone is too little for a match by e-mail. A last
        name or a first name may change, not both.
        """
        if key is Attribute.EXTERNAL_ID or Trait.PERSONAL_NUMBER in self.agrees:
            return True
        first, last = Trait.FIRST_NAME in self.agrees, Trait.LAST_NAME in self.agrees
        if self.differs & {Trait.PERSONAL_NUMBER, Trait.BIRTH_DATE} or self.differs >= _NAMES:
            return False
        if first and last:
            return True
        # A Skolon user of an account that Entra no longer has may be another person's.
        is_ours = Trait.EXTERNAL_ID not in self.differs
        if Trait.BIRTH_DATE in self.agrees:
            return first or key in _PERSONAL_KEYS
        return (first or last) and key in _PERSONAL_KEYS and is_ours


def compare_users(
    mapped: Mapping[Attribute, str | None],
    held: Mapping[Attribute, str | None],
    *,
    country: str | None,
    has_other_external_id: bool,
) -> Evidence:
    """Compare what an Entra user is mapped to with what a Skolon user holds.

    `country` is that of the personal numbers, as in `Tenant.ssn_country`. `has_other_external_id` says that
    the Skolon user has the object id of another Entra account.
    """
    results = {
        Trait.PERSONAL_NUMBER: _compare_numbers(mapped.get(Attribute.SSN), held.get(Attribute.SSN)),
        Trait.BIRTH_DATE: _compare_birth_dates(mapped, held, country),
        **_compare_names(mapped, held),
        Trait.EXTERNAL_ID: False if has_other_external_id else None,
    }
    return Evidence(
        agrees=frozenset(trait for trait, agrees in results.items() if agrees is True),
        differs=frozenset(trait for trait, agrees in results.items() if agrees is False),
    )


def _compare_numbers(left: str | None, right: str | None) -> bool | None:
    """Compare personal numbers; a provisional one says no more than the birth date in it."""
    if left is None or right is None:
        return None
    if same_number(left, right):
        return True
    return None if is_provisional(left) or is_provisional(right) else False


def _compare_birth_dates(
    mapped: Mapping[Attribute, str | None], held: Mapping[Attribute, str | None], country: str | None
) -> bool | None:
    left, right = _birth_date(mapped, country), _birth_date(held, country)
    return None if left is None or right is None else left == right


def _birth_date(values: Mapping[Attribute, str | None], country: str | None) -> str | None:
    """Return a birth date as YYMMDD: many personal numbers leave out the century."""
    found = _ISO_DATE.match(values.get(Attribute.BIRTH_DATE) or "")
    if found is not None and int(found[1]) >= _FIRST_BIRTH_YEAR:
        return f"{found[1][2:]}{found[2]}{found[3]}"
    return birth_date_of(values.get(Attribute.SSN) or "", country)


def _compare_names(
    mapped: Mapping[Attribute, str | None], held: Mapping[Attribute, str | None]
) -> dict[Trait, bool | None]:
    first, last = (_words(mapped.get(each)) for each in (Attribute.FIRST_NAME, Attribute.LAST_NAME))
    held_first, held_last = (_words(held.get(each)) for each in (Attribute.FIRST_NAME, Attribute.LAST_NAME))
    if not (first & held_first or last & held_last) and first & held_last and last & held_first:
        # One of the two has the names in the other order.
        held_first, held_last = held_last, held_first
    return {
        Trait.FIRST_NAME: _share(first, held_first),
        Trait.LAST_NAME: _share(last, held_last),
    }


def _share(left: frozenset[str], right: frozenset[str]) -> bool | None:
    return bool(left & right) if left and right else None


def _words(name: str | None) -> frozenset[str]:
    """Return the words of a name without case, accents and order; initials are none."""
    plain = unicodedata.normalize("NFKD", (name or "").casefold()).translate(_LETTERS)
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return frozenset(word for word in re.split(r"[\W\d_]+", letters) if len(word) > 1)
