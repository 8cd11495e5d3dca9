"""Details as the pages tell them: in both languages with the pages' own names."""

from __future__ import annotations

import pytest

from hub.presentation.details import page_detail
from schemas.details.detail import Detail, from_stored, to_stored
from schemas.details.kinds import DetailKind
from schemas.reports.remedy import Language

NUMBER = Detail(DetailKind.NOT_A_PERSONAL_NUMBER, attribute="ssn", country="SE")
GUEST = Detail(DetailKind.EXCLUDED, setting="scope.members_only", fact=Detail(DetailKind.ACCOUNT_NOT_MEMBER))

GUARD = Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=101, size=500, most=100, share=10)


@pytest.mark.parametrize(
    ("detail", "english", "swedish"),
    [
        (
            NUMBER,
            "SSN: not a valid personal number (Sweden)",
            "Personnummer: inte ett giltigt personnummer (Sverige)",
        ),
        (
            GUARD,
            "101 of 500 users would be changed; the limit is 100 users and 10%",
            "101 av 500 användare skulle ändras; gränsen är 100 användare och 10 %",
        ),
        (GUEST, "the account is not a member", "kontot är ett gästkonto"),
    ],
)
def test_a_detail_has_the_words_of_the_pages(detail: Detail, english: str, swedish: str) -> None:
    """No name of a setting or a column; the same for what was stored."""
    for each in (detail, from_stored(to_stored(detail)) or ""):
        assert page_detail(each, Language.ENGLISH) == english
        assert page_detail(each, Language.SWEDISH) == swedish
