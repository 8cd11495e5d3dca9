"""What SCIM servers do that others do not, and that real ones are reported to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias


class SearchOddity(StrEnum):
    """What a server does in searches that others do not."""

    NEEDS_COUNT = "needs count, and gives one user without it"
    SMALL_PAGES = "gives three users on a page"
    FIRST_TERM_ONLY = "looks at the first term of `or` alone"
    LAST_TERM_ONLY = "looks at the last term of `or` alone"
    REFUSES_OR_400 = "400 invalidFilter for `or`"
    REFUSES_OR_500 = "500 for `or`"
    REFUSES_OR_501 = "501 for `or`"
    UNREADABLE_OR = "HTML for `or`"
    SHUFFLED_PAGES = "sorts each page anew"
    IGNORES_START_INDEX = "gives the first page for every index"
    REPEATS_A_PAGE = "gives the second page twice"
    CURSORS = "pages by cursor alone"
    CURSORS_WITHOUT_TOTAL = "pages by cursor, and counts nothing"
    BARE_WHEN_EMPTY = "{} where nothing is found"
    NOT_FOUND_WHEN_EMPTY = "404 where nothing is found"
    PLAIN_JSON = "406 unless application/json is accepted"
    NO_POST = "404 for /.search"
    IGNORES_FILTER = "finds all users, whatever the filter"
    NO_TOTAL = "counts nothing"
    TOTAL_IS_TEXT = "counts in text"
    REFUSES_FILTERS = "400 invalidFilter for every filter"
    REFUSES_EMAILS = "400 invalidValue for every search by e-mail"
    INTEGER_IDS = "ids are integers"
    SMALL_LETTERS = "attribute names in small letters"
    TEXT_AMONG_EMAILS = "a text among the e-mail addresses"
    URN_IN_CAPITALS = "the extension's URN in capitals"


#: With these no search can be relied on: the run has to halt.
UNUSABLE: Final = frozenset(
    {
        SearchOddity.IGNORES_FILTER,
        SearchOddity.NO_TOTAL,
        SearchOddity.TOTAL_IS_TEXT,
        SearchOddity.REFUSES_FILTERS,
        SearchOddity.REFUSES_EMAILS,
    }
)


class UpdateOddity(StrEnum):
    """What a server does in other requests, or in what it keeps, that others do not."""

    IGNORES_UPDATES = "200 for a PATCH, and the user as it was"
    IGNORES_ADD = "does nothing for `add`"
    NO_PATCH = "501 for PATCH"
    MOVED = "308 for every request"
    USERS_VANISH = "404 without a SCIM body for users that are gone meanwhile"
    EMPTY_200 = "200 with nothing for a PATCH"
    ACCEPTED = "202 with nothing for a PATCH"
    NO_CONTENT = "204 for a PATCH"
    PART_OF_USER = "a part of the user for a PATCH"
    LOWER_CASE_USER_NAMES = "keeps user names in lower case"
    TELEPHONE_URIS = "keeps telephone numbers as tel: URIs"
    HIDES_SSN = "never shows the personal number"
    CUTS_NAMES = "keeps twelve characters of a name"
    NO_VALUE_FILTERS = "no value filter in a path"
    WHOLE_EXTENSIONS = "extension attributes inside the URN's object alone"
    NO_PATHS = "PATCH without path alone"
    READ_ONLY_USER_NAME = "user names are read-only"
    EXACT_TYPES = "types of entries are Work and Home, with regard to case"
    WEAK_VERSIONS = "weak versions"
    UNQUOTED_VERSIONS = "versions without quotes"
    REFUSES_VERSIONS = "412 for each If-Match"
    TWO_WORK_ADDRESSES = "two entries of the type work"
    UNTYPED_ENTRIES = "entries without a type"
    FEW_TERMS = "26 terms in a filter at most"
    SHORT_URLS = "414 for a URL of a search for several values"
    THROTTLES = "429 with a date now and then"


#: All that one server does that others do not.
Oddities: TypeAlias = frozenset[SearchOddity | UpdateOddity]

ALL_ODDITIES: Final[tuple[SearchOddity | UpdateOddity, ...]] = (*SearchOddity, *UpdateOddity)
