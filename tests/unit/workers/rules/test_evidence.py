"""What proves that an Entra user and a Skolon user are one person; all people are made up."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.users.attributes import Attribute
from workers.rules.evidence import Evidence, Trait, compare_users

FIRST: Final = Attribute.FIRST_NAME
LAST: Final = Attribute.LAST_NAME
SSN: Final = Attribute.SSN
BIRTH: Final = Attribute.BIRTH_DATE

Values = dict[Attribute, str | None]

#: Made-up numbers with right check digits: two people of one birth date, and one of another.
NUMBER: Final = "20120304-2385"
TWIN: Final = "20120304-2393"
OTHER: Final = "20110706-2398"


def compared(mapped: Values, held: Values, *, country: str = "SE", stale: bool = False) -> Evidence:
    return compare_users(mapped, held, country=country, has_other_external_id=stale)


def name(first: str | None, last: str | None, **further: str | None) -> Values:
    return {FIRST: first, LAST: last, **{Attribute(key): value for key, value in further.items()}}


@pytest.mark.parametrize(
    ("mapped", "held", "proves_eppn", "proves_email"),
    [
        pytest.param(name("Anna", "Ek"), name("ANNA", "ek"), True, True, id="another case"),
        pytest.param(name("José", "Møller"), name("Jose", "Moller"), True, True, id="without accents"),
        pytest.param(name("Anna", "Ek"), name("Ek", "Anna"), True, False, id="another order"),
        pytest.param(name("Anna-Karin", "Ek"), name("Anna", "Ek"), True, True, id="one of two first names"),
        pytest.param(name("Anna", "Berg Ek"), name("Anna", "Ek"), True, True, id="a double last name"),
        pytest.param(name("Anna", "Berg"), name("Anna", "Ek"), True, False, id="married"),
        pytest.param(name("Alexander", "Ek"), name("Alex", "Ek"), True, False, id="a short form"),
        pytest.param(name("Alice", "Ek"), name("Anna", "Ek"), False, False, id="a sibling"),
        pytest.param(name("Björn", "Åkesson"), name("Bjoern", "Aakesson"), True, True, id="other letters"),
        pytest.param(name("Sean", "O`Brien"), name("Sean", "OBrien"), True, True, id="an apostrophe"),
        pytest.param(name("Anna", "von Essen"), name("Eva", "von Otter"), False, False, id="a particle"),
        pytest.param(
            name("Mohammed Ali", "Amin"), name("Mohammed Omar", "Amin"), False, False, id="brothers"
        ),
        pytest.param(name("Anna Maria", "Ek"), name("Anna Sofia", "Ek"), False, False, id="sisters"),
        pytest.param(name("Elev", "Okänd"), name("Elev", "Okänd"), False, False, id="placeholders"),
        pytest.param(name("Hassan", "Ahmed"), name("Ahmed", "Hassan"), True, False, id="father and son"),
        pytest.param(name("李", "明"), name("李", "明"), True, True, id="names of one sign"),
        pytest.param(name("Anna", "Ek"), name("Solros", "Fjäril"), False, False, id="a made-up name"),
        pytest.param(name("Anna", "Ek"), name(None, None), False, False, id="nothing to compare"),
        pytest.param(name("Anna", None), name("Anna", "Ek"), True, False, id="a last name missing"),
        pytest.param(name("A.", "Ek"), name("B.", "Ek"), True, False, id="initials tell nothing"),
    ],
)
def test_names(mapped: Values, held: Values, *, proves_eppn: bool, proves_email: bool) -> None:
    """Of the two names one may change; a match by e-mail, which may be a family's, needs both."""
    evidence = compared(mapped, held)
    assert evidence.proves(is_personal_key=True) is proves_eppn
    assert evidence.proves(is_personal_key=False) is proves_email


@pytest.mark.parametrize(
    ("left", "right", "agrees", "differs"),
    [
        pytest.param(NUMBER, "201203042385", {Trait.PERSONAL_NUMBER}, set(), id="without a hyphen"),
        pytest.param(NUMBER, "120304-2385", {Trait.PERSONAL_NUMBER}, set(), id="without a century"),
        pytest.param(NUMBER, OTHER, set(), {Trait.PERSONAL_NUMBER, Trait.BIRTH_DATE}, id="of another person"),
        pytest.param(NUMBER, TWIN, {Trait.BIRTH_DATE}, {Trait.PERSONAL_NUMBER}, id="of a twin"),
        pytest.param(NUMBER, "20120304-T123", {Trait.BIRTH_DATE}, set(), id="a school's temporary number"),
        pytest.param(NUMBER, "20110706-T123", set(), {Trait.BIRTH_DATE}, id="another's temporary number"),
        pytest.param(NUMBER, "20120364-2382", {Trait.BIRTH_DATE}, set(), id="a co-ordination number"),
        pytest.param(NUMBER, None, set(), set(), id="none in Skolon"),
        pytest.param("040312A0025", "040312A9004", set(), set(), id="a Finnish temporary number"),
        pytest.param("040312A9004", "040312A9015", set(), set(), id="two of them"),
        pytest.param("040312A9004", "040312A9004", set(), set(), id="one of two hospitals"),
        pytest.param("04031250191", "04431250093", set(), set(), id="a Norwegian H-number"),
        pytest.param("04431250093", "04431250093", set(), set(), id="an H-number of two institutions"),
        pytest.param("04031250191", "44031250185", set(), set(), id="a Norwegian D-number"),
        pytest.param("04031250191", "201506129907", set(), set(), id="a Norwegian DUF number"),
        pytest.param("201506129907", "201912345606", set(), set(), id="two of them, one renewed"),
        pytest.param("201506129907", "201506129907", {Trait.PERSONAL_NUMBER}, set(), id="the same one"),
        pytest.param("04031250191", "04031251066", set(), {Trait.PERSONAL_NUMBER}, id="two Norwegians"),
        pytest.param("20120304TF01", "20120304-TF01", {Trait.BIRTH_DATE}, set(), id="of two schools"),
        *(
            pytest.param(NUMBER, text, set(), set(), id=f"no number: {text}")
            for text in ("-", "saknas", "okänd", "000000-0000", "XXXXXXXXXX")
        ),
    ],
)
def test_personal_numbers(left: str, right: str | None, agrees: set[Trait], differs: set[Trait]) -> None:
    """A provisional number says what its birth date says, and a full one says who it is."""
    evidence = compared({SSN: left}, {SSN: right})
    assert evidence.agrees - {Trait.BIRTH_DATE} == agrees - {Trait.BIRTH_DATE}
    assert evidence.differs == differs
    if Trait.PERSONAL_NUMBER not in agrees:
        assert (Trait.BIRTH_DATE in evidence.agrees) is (Trait.BIRTH_DATE in agrees)


@pytest.mark.parametrize(
    ("mapped", "held", "agrees"),
    [
        ({BIRTH: "2012-03-04"}, {BIRTH: "2012-03-04"}, True),
        ({BIRTH: "2012-03-04"}, {SSN: NUMBER}, True),
        ({SSN: NUMBER}, {BIRTH: "2012-03-04T00:00:00Z"}, True),
        ({BIRTH: "2012-03-06"}, {BIRTH: "2012-03-04"}, False),
        ({BIRTH: "2012-03-05"}, {BIRTH: "2012-03-04"}, None),
        ({BIRTH: "2012-03-03"}, {SSN: NUMBER}, None),
        ({BIRTH: "2013-01-01"}, {BIRTH: "2012-12-31"}, None),
        ({BIRTH: "2013-03-05"}, {BIRTH: "2012-03-04"}, False),
        ({SSN: "20000101-2384"}, {BIRTH: "1999-12-31"}, None),
        ({BIRTH: "1604-01-01"}, {BIRTH: "2012-03-04"}, None),
        ({BIRTH: "2012-03-04"}, {BIRTH: "1900-01-01"}, None),
        ({BIRTH: None}, {BIRTH: "2012-03-04"}, None),
    ],
)
def test_birth_dates(mapped: Values, held: Values, *, agrees: bool | None) -> None:
    """A birth date is compared with the one in a personal number too; one that cannot be is unknown."""
    evidence = compared(mapped, held)
    assert (Trait.BIRTH_DATE in evidence.agrees, Trait.BIRTH_DATE in evidence.differs) == (
        agrees is True,
        agrees is False,
    )


@pytest.mark.parametrize(
    ("country", "number", "birth_date"),
    [
        ("NO", "04031250000", "2012-03-04"),
        ("DK", "0403126000", "2012-03-04"),
        ("FI", "040312A0025", "2012-03-04"),
        ("FI", "040312A9004", "2012-03-04"),
        ("NO", "04431250093", "2012-03-04"),
        ("NO", "44031250185", "2012-03-04"),
    ],
)
def test_numbers_of_other_countries_begin_with_the_day(country: str, number: str, birth_date: str) -> None:
    """A number is read by its country's rules: a Danish one is not read as a Swedish one."""
    assert Trait.BIRTH_DATE in compared({SSN: number}, {BIRTH: birth_date}, country=country).agrees


@pytest.mark.parametrize("country", [None, "SE", "NO", "DK", "FI"])
@pytest.mark.parametrize(
    "text", [None, "", "-", "okänd", "000000-0000", "999999999999", "0403126000", "A" * 11]
)
def test_what_is_no_number_tells_nothing(country: str | None, text: str | None) -> None:
    """A source may hold anything: it ends no run, and the same on both sides proves nothing."""
    evidence = compare_users(
        name("Anna", "Ek", ssn=text), name("Bo", "Ås", ssn=text), country=country, has_other_external_id=False
    )
    is_number = text == "0403126000"
    assert (Trait.PERSONAL_NUMBER in evidence.agrees) is is_number
    assert evidence.proves(is_personal_key=True) is is_number


def test_a_recycled_address_proves_nothing() -> None:
    """The new Anna has the old Anna's address, and neither her number nor her birth date."""
    new = name("Anna", "Ny", ssn=NUMBER)
    old = name("Anna", "Gammal", ssn=OTHER)
    assert not compared(new, old).proves(is_personal_key=True)


def test_an_account_that_is_gone_was_perhaps_another_persons() -> None:
    """With another account's External Id one name is too little, and both are enough."""
    married = compared(name("Anna", "Ny"), name("Anna", "Gammal"), stale=True)
    assert not married.proves(is_personal_key=True)
    assert compared(name("Anna", "Ek"), name("Anna", "Ek"), stale=True).proves(is_personal_key=True)


def test_twins_are_two() -> None:
    """One birth date, one last name and one address are two people's if the first names differ."""
    twins = compared(
        name("Emil", "Ek", birth_date="2012-03-04"), name("Emilia", "Ek", birth_date="2012-03-04")
    )
    assert not twins.proves(is_personal_key=False)


TEXTS: Final = st.none() | st.sampled_from(
    ["Anna", "Erik", "Ek", "Berg", NUMBER, TWIN, OTHER, "2012-03-04", "2011-07-06", "", "Å"]
)
USERS: Final = st.fixed_dictionaries(dict.fromkeys((FIRST, LAST, SSN, BIRTH), TEXTS))


@given(left=USERS, right=USERS, stale=st.booleans())
def test_it_does_not_matter_who_is_compared_with_whom(left: Values, right: Values, *, stale: bool) -> None:
    """The comparison is symmetric, a trait never agrees and differs, and a personal key never proves less."""
    evidence = compared(left, right, stale=stale)
    assert evidence == compared(right, left, stale=stale)
    assert not evidence.agrees & evidence.differs
    decisive = {Trait.PERSONAL_NUMBER, Trait.BIRTH_DATE}
    if evidence.differs & decisive and Trait.PERSONAL_NUMBER not in evidence.agrees:
        assert not evidence.proves(is_personal_key=True)
    if evidence.proves(is_personal_key=False):
        assert evidence.proves(is_personal_key=True)
