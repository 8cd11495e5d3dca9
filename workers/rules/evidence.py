"""Whether an Entra user and the Skolon user that a match key found are the same person: pure decisions.

A key alone proves little: addresses are handed on, shared by siblings, and typed by hand. So names, birth
dates and personal numbers are compared before anything is written. Values are compared here and never leave.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.users.attributes import Attribute
from workers.rules.birth_dates import FIRST_BIRTH_YEAR
from workers.rules.national_ids import birth_date_of, compare_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Letters that Unicode does not decompose, and letters that are also written as two.
_LETTERS: Final = str.maketrans("øæœđðł\N{LATIN SMALL LETTER DOTLESS I}ŋŧħ", "oaoddlinth") | {ord("þ"): "th"}
_TWO_LETTERS: Final = (("aa", "a"), ("ae", "a"), ("oe", "o"))

#: Words that stand where a name is not known.
_PLACEHOLDERS: Final = frozenset(
    {"elev", "okand", "ukjent", "ukendt", "tuntematon", "unknown", "namn", "saknas", "nn", "vikarie", "jr"}
)

#: Apostrophes join the parts of a name, in several signs.
_APOSTROPHES: Final = str.maketrans(
    dict.fromkeys("'`\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}")
)

#: Dates that sources give when no year, or no date at all, is known.
_PLACEHOLDER_DATES: Final = frozenset({dt.date(1970, 1, 1), dt.date(2000, 1, 1)})

#: Days of a century that begins with a leap year.
_CENTURY: Final = 36_525


class Trait(StrEnum):
    """What two users are compared by."""

    PERSONAL_NUMBER = "personal_number"
    BIRTH_DATE = "birth_date"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EXTERNAL_ID = "external_id"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Which traits agree and which differ; a trait that one of the two lacks is in neither.

    `is_swapped` says that the names agree only in the other order.
    """

    agrees: frozenset[Trait]
    differs: frozenset[Trait]
    is_swapped: bool = False

    def proves(self, *, is_personal_key: bool) -> bool:
        """Say whether the two are one person.

        `is_personal_key` says that the match key is the person's own, such as a user principal name, and not
        an address that a family may share. The personal number decides, then the birth date. Siblings share a
        last name, and twins the birth date too, so the first name counts for more: a marriage changes a last
        name, and hardly anything a first name.
        """
        if Trait.PERSONAL_NUMBER in self.agrees:
            return True
        first, last = Trait.FIRST_NAME in self.agrees, Trait.LAST_NAME in self.agrees
        differs_in_both = self.differs >= {Trait.FIRST_NAME, Trait.LAST_NAME}
        if differs_in_both or self.differs & {Trait.PERSONAL_NUMBER, Trait.BIRTH_DATE}:
            return False
        if first and last:
            return is_personal_key or not self.is_swapped
        # A Skolon user of an account that Entra no longer has may be another person's.
        is_personal = is_personal_key and Trait.EXTERNAL_ID not in self.differs
        if Trait.BIRTH_DATE in self.agrees:
            return first or (is_personal and Trait.LAST_NAME not in self.differs)
        return is_personal and (first or (last and Trait.FIRST_NAME not in self.differs))


def compare_users(
    mapped: Mapping[Attribute, str | None],
    held: Mapping[Attribute, str | None],
    *,
    country: str | None,
    has_other_external_id: bool,
) -> Evidence:
    """Compare what an Entra user is mapped to with what a Skolon user holds.

    `country` is that of the personal numbers, as in `Tenant.ssn_country`. The Skolon user
    `has_other_external_id` if it has the object id of an account that is not the Entra user's.
    """
    names, is_swapped = _compare_names(mapped, held)
    results = {
        Trait.PERSONAL_NUMBER: compare_numbers(mapped.get(Attribute.SSN), held.get(Attribute.SSN)),
        Trait.BIRTH_DATE: _compare_birth_dates(mapped, held, country),
        Trait.EXTERNAL_ID: False if has_other_external_id else None,
        **names,
    }
    return Evidence(
        agrees=frozenset(trait for trait, agrees in results.items() if agrees is True),
        differs=frozenset(trait for trait, agrees in results.items() if agrees is False),
        is_swapped=is_swapped,
    )


def _compare_birth_dates(
    mapped: Mapping[Attribute, str | None], held: Mapping[Attribute, str | None], country: str | None
) -> bool | None:
    """Say whether the birth dates agree; None if they do not tell.

    Dates that are a day apart tell nothing: a birthday that a source wrote as midnight elsewhere was once
    entered as the day before.
    """
    left, right = _birth_date(mapped, country), _birth_date(held, country)
    if left is None or right is None:
        return None
    days = (_in_one_century(left) - _in_one_century(right)).days % _CENTURY
    return None if days in (1, _CENTURY - 1) else days == 0


def _in_one_century(date: str) -> dt.date:
    return dt.date(2000 + int(date[:2]), int(date[2:4]), int(date[4:]))


def _birth_date(values: Mapping[Attribute, str | None], country: str | None) -> str | None:
    """Return a birth date as YYMMDD: many personal numbers leave out the century."""
    try:
        date = dt.date.fromisoformat((values.get(Attribute.BIRTH_DATE) or "")[:10])
    except ValueError:
        date = None
    if date is not None and date.year >= FIRST_BIRTH_YEAR and date not in _PLACEHOLDER_DATES:
        return f"{date:%y%m%d}"
    return birth_date_of(values.get(Attribute.SSN) or "", country)


def _compare_names(
    mapped: Mapping[Attribute, str | None], held: Mapping[Attribute, str | None]
) -> tuple[dict[Trait, bool | None], bool]:
    first, last = (_words(mapped.get(each)) for each in (Attribute.FIRST_NAME, Attribute.LAST_NAME))
    held_first, held_last = (_words(held.get(each)) for each in (Attribute.FIRST_NAME, Attribute.LAST_NAME))
    is_swapped = (
        not (_agree(first, held_first) or _agree(last, held_last))
        and _agree(first, held_last) is True
        and _agree(last, held_first) is True
    )
    if is_swapped:
        held_first, held_last = held_last, held_first
    same_first = _agree(first, held_first)
    if same_first is False and _is_short_form(
        mapped.get(Attribute.FIRST_NAME), held.get(Attribute.FIRST_NAME)
    ):
        same_first = None
    return {Trait.FIRST_NAME: same_first, Trait.LAST_NAME: _agree(last, held_last)}, is_swapped


def _agree(left: frozenset[str], right: frozenset[str]) -> bool | None:
    """Say whether one name has all words of the other: a word in common is shared by siblings and by many."""
    return left <= right or right <= left if left and right else None


def _is_short_form(left: str | None, right: str | None) -> bool:
    one, other = sorted((_plain(left), _plain(right)), key=len)
    return other.startswith(one)


def _words(name: str | None) -> frozenset[str]:
    """Return the words of a name without case, accents and order, and without initials and placeholders."""
    return frozenset(
        word
        for word in re.split(r"[\W\d_]+", _plain(name))
        if (len(word) > 1 or word.upper() == word.lower()) and word and word not in _PLACEHOLDERS
    )


def _plain(name: str | None) -> str:
    decomposed = (
        unicodedata.normalize("NFKD", (name or "").lower()).translate(_LETTERS).translate(_APOSTROPHES)
    )
    text = "".join(sign for sign in decomposed if unicodedata.category(sign) not in ("Mn", "Cf"))
    for two, one in _TWO_LETTERS:
        text = text.replace(two, one)
    return text.strip()
