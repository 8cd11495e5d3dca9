"""Kinds of users that are hard to tell apart: in Entra, in Skolon before, and what must be there after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sandbox.municipality.expectation import after_sync, attributes_of
from sandbox.municipality.made_up_user import DOMAIN, SKOLON_SCHEMA, SSN_SOURCE, entra_user, skolon_user
from sandbox.municipality.numbers import FIRST_SERIAL, SERIALS, personal_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.municipality.expectation import Attributes
    from sandbox.municipality.made_up_user import Facts

User = dict[str, Any]

#: An outcome, and the reason of a dead letter.
Result = tuple[str, str | None]

SUSPICIOUS: Final[Result] = ("dead_lettered", "suspicious_match")
UPDATED: Final[Result] = ("updated", None)

#: One ordinary user in so many has another last name in Skolon: 3 %. It shares no factor with ten.
_RENAMED: Final = 33

#: Of ten ordinary users so many have no External Id, and so many more one of a register.
_WITHOUT_ID: Final = 4
_OF_REGISTER: Final = 2
#: Of ten ordinary users one has neither a number nor a birth date in Skolon, and so many more no number.
_WITHOUT_NUMBER: Final = 3

#: People of a swap; a ring has more.
_PAIR: Final = 2

#: Days between the births of a person and the one who had the address before.
_YEARS_APART: Final = 1400

#: The domain of a school that has its own addresses.
_SCHOOL: Final = "skola.example"


class Kind(StrEnum):
    """What is hard about a group of users."""

    #: Protected identity: an account that was made in Skolon by hand, under a made-up name.
    HAND_MADE = "hand_made"
    #: An address that another person had before.
    RECYCLED = "recycled"
    #: A teacher, and the teacher's guest account with the address that Skolon knows.
    GUEST = "guest"
    #: Two children without an address of their own, and their parent's.
    SIBLINGS = "siblings"
    #: User principal names that two users have swapped, and that went around among three.
    SWAP = "swap"
    RING = "ring"
    #: The names of a leaver that a newcomer has now.
    HAND_OVER = "hand_over"
    ORDINARY = "ordinary"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Users that belong together.

    `states` are the right states of each Skolon user, by its id; `results` are the right ones of each Entra
    user, by its id.
    """

    kind: Kind
    entra: list[User]
    skolon: list[User]
    states: dict[str, list[Attributes]] = field(default_factory=dict)
    results: dict[str, set[Result]] = field(default_factory=dict)


def hand_made(facts: Sequence[Facts], number: int, _tenant: User) -> Group:
    """Have Skolon know the person's address under another name; nothing may be written."""
    (person,) = facts
    alias = f"skyddad{number:05d}@{DOMAIN}"
    user = {
        **_bare(skolon_user(person)),
        "userName": alias,
        "name": {"givenName": f"Solros{_letters(number)}", "familyName": f"Fjäril{_letters(number)}"},
        # Half of them were given the address as their EPPN, too.
        SKOLON_SCHEMA: {"eppn": person.mail if number % 2 else alias},
    }
    return _untouched(Kind.HAND_MADE, entra_user(person), user)


def recycled(facts: Sequence[Facts], number: int, _tenant: User) -> Group:
    """Have Skolon know a person who is gone, by the addresses that the new person has."""
    new, old = facts
    born = old.born - timedelta(days=_YEARS_APART)
    serial = FIRST_SERIAL + old.index % SERIALS
    old = replace(old, born=born, personal_number=personal_number(born, serial))
    user = skolon_user(old)
    owners = (old.entra_id, f"elevregister-{number}", None)
    user["externalId"] = owners[number % len(owners)]
    user["userName"] = new.user_principal_name
    user["emails"][0]["value"] = new.mail
    user[SKOLON_SCHEMA] |= {"eppn": new.mail, "idpIdentifier": new.user_principal_name}
    if number % 2:
        del user[SKOLON_SCHEMA]["ssn"]
    if user["externalId"] is None:
        del user["externalId"]
    return _untouched(Kind.RECYCLED, entra_user(new), user)


def guest(facts: Sequence[Facts], number: int, tenant: User) -> Group:
    """Have the teacher's own names, and the school's address, lead to the teacher's Skolon user."""
    teacher, other = facts
    name, school = f"larare.{number:05d}@{DOMAIN}", f"larare.{number:05d}@{_SCHOOL}"
    account = entra_user(teacher) | {"userPrincipalName": name, "mail": name}
    guest_account = entra_user(other) | {
        "givenName": teacher.given_name,
        "surname": teacher.surname,
        "displayName": account["displayName"],
        "userPrincipalName": f"{school.replace('@', '_')}#EXT#@{DOMAIN}",
        "mail": school,
        # Directories invite colleagues as members too.
        "userType": "Guest" if number % 2 else "Member",
        "onPremisesExtensionAttributes": {SSN_SOURCE: None},
    }
    guest_account.pop("birthday", None)
    user = _bare(skolon_user(teacher))
    user |= {"userName": name, SKOLON_SCHEMA: {"eppn": name, "idpIdentifier": name}}
    user["emails"][0]["value"] = school
    refused: set[Result] = {("not_found", None), SUSPICIOUS, ("dead_lettered", "collision")}
    return Group(
        kind=Kind.GUEST,
        entra=[account, guest_account],
        skolon=[user],
        states={user["id"]: [after_sync(account, attributes_of(user), tenant)]},
        results={
            account["id"]: {UPDATED},
            guest_account["id"]: {("out_of_scope", None)} if number % 2 else refused,
        },
    )


def siblings(facts: Sequence[Facts], number: int, tenant: User) -> Group:
    """Have only the parent's address left in Entra; each child keeps the EPPN that Skolon has."""
    parent = f"foralder.{number:05d}@{DOMAIN}"
    accounts = [entra_user(child) | {"mail": None, "otherMails": [parent]} for child in facts]
    users = [skolon_user(child) for child in facts]
    states = {}
    for account, user in zip(accounts, users, strict=True):
        before = attributes_of(user)
        after = after_sync(account, before, tenant) | {"eppn": before["eppn"]}
        # The parent's address may be written as an e-mail, which several users may have.
        states[user["id"]] = [after, after | {"email": before["email"]}]
    return Group(
        kind=Kind.SIBLINGS,
        entra=accounts,
        skolon=users,
        states=states,
        results={account["id"]: {UPDATED, ("unchanged", None)} for account in accounts},
    )


def moved_names(facts: Sequence[Facts], number: int, tenant: User) -> Group:
    """Have each user's principal name in Entra be the next one's in Skolon: a swap, or a ring."""
    del number
    names = [each.user_principal_name for each in (*facts[1:], facts[0])]
    accounts = [
        entra_user(each) | {"userPrincipalName": name} for each, name in zip(facts, names, strict=True)
    ]
    kind = Kind.SWAP if len(facts) == _PAIR else Kind.RING
    return _all_updated(kind, accounts, [skolon_user(each) for each in facts], tenant)


def hand_over(facts: Sequence[Facts], number: int, tenant: User) -> Group:
    """Have a newcomer own a leaver's user principal name, and half of them the leaver's address too."""
    leaver, newcomer = facts
    gone, new = entra_user(leaver), entra_user(newcomer)
    gone["userPrincipalName"] = f"slutat.{number:05d}@{DOMAIN}"
    new["userPrincipalName"] = leaver.user_principal_name
    if number % 2:
        gone["mail"], new["mail"] = f"slutat.{number:05d}@{DOMAIN}", leaver.mail
    return _all_updated(Kind.HAND_OVER, [gone, new], [skolon_user(leaver), skolon_user(newcomer)], tenant)


def ordinary(facts: Sequence[Facts], number: int, tenant: User) -> Group:
    """Return an everyday user on a first sync: most are not known by the id yet, 3 % have another name."""
    (person,) = facts
    account, user = entra_user(person), skolon_user(person)
    own = user[SKOLON_SCHEMA]
    if number % 10 < _WITHOUT_ID:
        del user["externalId"]
    elif number % 10 < _WITHOUT_ID + _OF_REGISTER:
        user["externalId"] = f"elevregister-{person.index}"
    if number // 10 % 10 == 0:
        del own["ssn"], own["birthDate"]
    elif number // 10 % 10 <= _WITHOUT_NUMBER:
        del own["ssn"]
    results: set[Result] = {UPDATED, ("unchanged", None)}
    before, states = attributes_of(user), []
    if number % _RENAMED == 0:
        user["name"]["familyName"] = f"Ogift{_letters(number)}"
        before = attributes_of(user)
        # How many of these are suspicious is counted: such a user is left as it was.
        results.add(SUSPICIOUS)
        states.append(before)
    states.append(after_sync(account, before, tenant))
    return Group(
        kind=Kind.ORDINARY,
        entra=[account],
        skolon=[user],
        states={user["id"]: states},
        results={account["id"]: results},
    )


def _untouched(kind: Kind, account: User, user: User) -> Group:
    return Group(
        kind=kind,
        entra=[account],
        skolon=[user],
        states={user["id"]: [attributes_of(user)]},
        results={account["id"]: {SUSPICIOUS}},
    )


def _all_updated(kind: Kind, accounts: list[User], users: list[User], tenant: User) -> Group:
    return Group(
        kind=kind,
        entra=accounts,
        skolon=users,
        states={
            user["id"]: [after_sync(account, attributes_of(user), tenant)]
            for account, user in zip(accounts, users, strict=True)
        },
        results={account["id"]: {UPDATED} for account in accounts},
    )


def _bare(user: User) -> User:
    """Return a Skolon user of which no register has told anything but names and an address."""
    return {name: user[name] for name in ("schemas", "id", "userName", "name", "active", "emails")}


def _letters(number: int) -> str:
    """Return a number in letters, for names that no other user has."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
