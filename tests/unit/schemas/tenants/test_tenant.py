"""A tenant's settings: taken whole, changed in part, given back as they were, refused with every fault."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidTenantError
from schemas.tenants.scope import Operator, Scope, ScopeRule
from schemas.tenants.tenant import (
    Guard,
    Limit,
    Tenant,
    change_tenant,
    dump_tenant,
    load_tenant,
    restore_tenant,
)
from schemas.users.attributes import ATTRIBUTE_TABLE, MATCH_KEYS, Attribute
from schemas.users.graph_user import TEXT_SOURCES
from tests.unit.schemas.arbitrary import JSON

SECRET: Final = "hemlig-nyckel"  # noqa: S105 - made up, opens nothing

FIRST_FIVE: Final = {
    "name": "Exempelkommun",
    "entra_tenant_id": "00000000-0000-4000-8000-0000000000aa",
    "client_id": "app",
    "client_secret": SECRET,
    "organisation": "exempel",
}

#: The contract's defaults, typed off the design.
DEFAULTS: Final[dict[str, Any]] = {
    "client_secret_expires": None,
    "match_keys": ["external_id", "eppn", "user_name", "email"],
    "erase_blank": [],
    "replace_from_later_sources": [],
    "needs_approval": [],
    "ssn_country": None,
    "skolon_profile": "assumed",
    "skolon_lacks": [],
    "birthdays": True,
    "scope": {"enabled_only": False, "members_only": True, "include": [], "exclude": []},
    "guard": {
        "changed": {"count": 1000, "share": 0.5},
        "identity_changed": {"count": 100, "share": 0.1},
        "not_found": None,
        "failed": {"count": 20, "share": 0.25},
        "left_scope": {"count": 20, "share": 0.25},
    },
    "give_up_after_hours": 24,
    "trust_receipts_days": 0,
    "schedule": None,
    "time_zone": "Europe/Stockholm",
    "enabled": True,
}

LIMITS: Final = st.none() | st.fixed_dictionaries({"count": st.integers(0, 10**6), "share": st.floats(0, 1)})
NAMES: Final = [str(attribute) for attribute in Attribute]
_VALUES: Final = st.sampled_from(["x", " å "])
RULES: Final = st.sampled_from(TEXT_SOURCES).flatmap(
    lambda source: st.one_of(
        *(
            st.fixed_dictionaries({"source": st.just(source), name: _VALUES})
            for name in ("equals", "starts_with", "ends_with")
        ),
        st.fixed_dictionaries(
            {"source": st.just(source), "one_of": st.lists(_VALUES, min_size=1, max_size=2)}
        ),
        st.just({"source": source, "is_blank": True}),
    )
)

SETTINGS: Final = st.fixed_dictionaries(
    {name: st.just(value) for name, value in FIRST_FIVE.items()},
    optional={
        "client_secret_expires": st.none() | st.dates().map(lambda date: date.isoformat()),
        "sources": st.fixed_dictionaries(
            {},
            optional={
                str(name): st.lists(st.sampled_from(row.sources), unique=True, max_size=4)
                for name, row in ATTRIBUTE_TABLE.items()
            },
        ),
        "match_keys": st.lists(st.sampled_from([str(key) for key in MATCH_KEYS]), unique=True, min_size=1),
        "erase_blank": st.lists(
            st.sampled_from([name for name in NAMES if name != "user_name"]), unique=True
        ),
        "ssn_country": st.sampled_from([None, "SE", "NO", "DK", "FI"]),
        "birthdays": st.booleans(),
        "scope": st.fixed_dictionaries(
            {},
            optional={
                "enabled_only": st.booleans(),
                "members_only": st.booleans(),
                "include": st.lists(RULES, max_size=2),
                "exclude": st.lists(RULES, max_size=2),
            },
        ),
        "guard": st.fixed_dictionaries(
            {}, optional={"changed": LIMITS, "identity_changed": LIMITS, "not_found": LIMITS}
        ),
        "give_up_after_hours": st.floats(0.01, 720),
        "trust_receipts_days": st.integers(0, 365),
        "schedule": st.sampled_from([None, "30 2 * * *", "*/15 6-18 * * mon-fri"]),
        "time_zone": st.sampled_from(["Europe/Oslo", "UTC"]),
        "enabled": st.booleans(),
    },
)


def tenant(**changes: Any) -> Tenant:
    return load_tenant("exempel", {**FIRST_FIVE, **changes})[0]


def faulty_fields(error: InvalidTenantError) -> set[str]:
    return {fault.partition(": ")[0] for fault in error.faults}


def test_everything_but_the_first_five_has_the_contracts_default() -> None:
    """What a tenant does not say is as the design's contract shows it."""
    loaded, secret = load_tenant("exempel", FIRST_FIVE)
    assert secret == SECRET
    given_back = dump_tenant(loaded)
    given_back["erase_blank"] = list(given_back["erase_blank"])
    sources = given_back.pop("sources")
    assert given_back == {
        **{name: value for name, value in FIRST_FIVE.items() if name != "client_secret"},
        **DEFAULTS,
    }
    assert {name: sources[name] for name in ("user_name", "email", "idp_identifier", "eppn", "ssn")} == {
        "user_name": ["userPrincipalName", "mail", "otherMails"],
        "email": ["mail", "otherMails"],
        "idp_identifier": ["userPrincipalName", "mail", "otherMails", "onPremisesImmutableId"],
        "eppn": ["mail", "otherMails", "userPrincipalName"],
        "ssn": [],
    }


@given(settings=SETTINGS)
def test_what_is_given_back_makes_the_same_tenant(settings: dict[str, Any]) -> None:
    """A dump is JSON, and restoring or loading it again gives the same tenant."""
    loaded, _ = load_tenant("exempel", settings)
    dumped = json.loads(json.dumps(dump_tenant(loaded)))
    assert restore_tenant("exempel", dumped) == loaded
    assert load_tenant("exempel", {**dumped, "client_secret": "x"})[0] == loaded


@given(settings=SETTINGS)
def test_a_dump_has_no_secret(settings: dict[str, Any]) -> None:
    """P6: a client secret can be set and replaced, and is never given back."""
    loaded, _ = load_tenant("exempel", settings)
    assert SECRET not in json.dumps(dump_tenant(loaded))
    assert SECRET not in repr(loaded)


@given(settings=SETTINGS)
def test_changing_nothing_changes_nothing(settings: dict[str, Any]) -> None:
    """An empty change leaves every setting, and the secret, as it is."""
    loaded, _ = load_tenant("exempel", settings)
    assert change_tenant(loaded, {}) == (loaded, None)


@given(before=SETTINGS, after=SETTINGS)
def test_a_change_keeps_what_it_does_not_name(before: dict[str, Any], after: dict[str, Any]) -> None:
    """`sources`, `scope` and `guard` are merged name by name; any other setting is replaced or kept whole."""
    old, new = dump_tenant(tenant(**before)), dump_tenant(tenant(**after))
    changed, secret = change_tenant(tenant(**before), after)
    result = dump_tenant(changed)
    assert secret == SECRET
    for name, value in result.items():
        if name in ("sources", "scope", "guard"):
            named = after.get(name, {})
            assert value == {inner: (new if inner in named else old)[name][inner] for inner in value}
        elif name == "client_secret_expires":
            # The date of the former secret is forgotten with it.
            assert value == after.get(name)
        else:
            assert value == (new if name in after else old)[name]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"guard": {"changed": {"count": 5}}}, "guard.changed.share"),
        ({"guard": {"not_found": {}}}, "guard.not_found.count"),
        ({"scope": {"exclude": [{"source": "mail"}]}}, "scope.exclude.0"),
        ({"scope": {"exclude": [{"equals": "x"}]}}, "scope.exclude.0.source"),
    ],
)
def test_a_change_of_something_inner_names_it_whole(change: dict[str, Any], field: str) -> None:
    """A limit or an exclusion that is given at all is given whole, in a change as well as at first."""
    with pytest.raises(InvalidTenantError) as caught:
        change_tenant(tenant(), change)
    assert field in faulty_fields(caught.value)
    with pytest.raises(InvalidTenantError):
        tenant(**change)


def test_a_limit_can_be_lifted() -> None:
    """`null` is no limit, and the other limits stay."""
    changed, _ = change_tenant(tenant(), {"guard": {"changed": None}})
    assert changed.guard == Guard(changed=None, identity_changed=Limit(count=100, share=0.1))


def test_scope_is_changed_rule_by_rule() -> None:
    """Naming exclusions replaces them and keeps the two switches."""
    first = tenant(scope={"enabled_only": True, "exclude": [{"source": "mail", "equals": "a"}]})
    changed, _ = change_tenant(first, {"scope": {"exclude": [{"source": "city", "equals": "b"}]}})
    assert changed.scope == Scope(
        enabled_only=True, exclude=(ScopeRule(source="city", operator=Operator.EQUALS, values=("b",)),)
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"entra_tenant_id": "common"}, "entra_tenant_id"),
        ({"entra_tenant_id": "Organizations"}, "entra_tenant_id"),
        ({"entra_tenant_id": "a/b"}, "entra_tenant_id"),
        ({"organisation": "../x"}, "organisation"),
        ({"organisation": "a?b"}, "organisation"),
        ({"organisation": ".."}, "organisation"),
        ({"entra_tenant_id": "."}, "entra_tenant_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"client_secret_expires": "soon"}, "client_secret_expires"),
        ({"sources": {"shoe_size": ["mail"]}}, "sources.shoe_size.key"),
        ({"sources": {"email": ["userPrincipalName"]}}, "sources.email"),
        ({"sources": {"email": ["otherEmails"]}}, "sources.email"),
        ({"sources": {"email": ["mail", "mail"]}}, "sources.email"),
        ({"sources": {"email": "mail"}}, "sources.email.value"),
        ({"sources": {"email": None}}, "sources.email.value"),
        ({"sources": None}, "sources"),
        ({"match_keys": []}, "match_keys"),
        ({"match_keys": ["eppn", "eppn"]}, "match_keys"),
        ({"match_keys": ["city"]}, "match_keys.0"),
        ({"match_keys": ["shoe_size"]}, "match_keys.0"),
        ({"erase_blank": ["shoe_size"]}, "erase_blank.0"),
        ({"erase_blank": ["city", "user_name"]}, "erase_blank"),
        ({"replace_from_later_sources": ["city"]}, "replace_from_later_sources.0"),
        ({"ssn_country": "DE"}, "ssn_country"),
        ({"birthdays": "yes"}, "birthdays"),
        ({"scope": {"enabled_only": 1}}, "scope.enabled_only"),
        ({"scope": {"exclude": [{"source": "birthday", "equals": "x"}]}}, "scope.exclude.0.source"),
        ({"scope": {"exclude": [{"source": "mail", "equals": ""}]}}, "scope.exclude.0.equals"),
        ({"scope": {"exclude": [{"source": "mail", "equals": " \t"}]}}, "scope.exclude.0.equals"),
        ({"scope": {"include": [{"source": "mail", "starts_with": ""}]}}, "scope.include.0.starts_with"),
        ({"scope": {"include": [{"source": "mail", "one_of": []}]}}, "scope.include.0.one_of"),
        ({"scope": {"include": [{"source": "mail", "one_of": ["a", ""]}]}}, "scope.include.0.one_of.1"),
        ({"scope": {"include": [{"source": "mail", "is_blank": False}]}}, "scope.include.0.is_blank"),
        ({"scope": {"include": [{"source": "mail", "equals": "a", "is_blank": True}]}}, "scope.include.0"),
        ({"scope": {"include": [{"source": "mail", "contains": "a"}]}}, "scope.include.0.contains"),
        ({"scope": {"include": [{"source": "memberOf", "equals": "a"}]}}, "scope.include.0.source"),
        ({"scope": {"only": True}}, "scope.only"),
        ({"guard": {"changed": {"count": -1, "share": 0.5}}}, "guard.changed.count"),
        ({"guard": {"changed": {"count": 1, "share": 1.1}}}, "guard.changed.share"),
        ({"guard": {"changed": {"count": 1, "share": float("nan")}}}, "guard.changed.share"),
        ({"guard": {"erased": None}}, "guard.erased"),
        ({"give_up_after_hours": 0}, "give_up_after_hours"),
        ({"give_up_after_hours": float("inf")}, "give_up_after_hours"),
        ({"give_up_after_hours": 721}, "give_up_after_hours"),
        ({"trust_receipts_days": 1.5}, "trust_receipts_days"),
        ({"schedule": ""}, "schedule"),
        ({"schedule": 5}, "schedule"),
        ({"schedule": "@hourly"}, "schedule"),
        ({"schedule": "0 24 * * *"}, "schedule"),
        ({"schedule": "0 3 31 2 *"}, "schedule"),
        ({"schedule": "0,0 3 * * *" + 200 * " "}, "schedule"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"enabled": None}, "enabled"),
        ({"shoe_size": 1}, "shoe_size"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    """Each wrong setting is refused with its own name, when it is added and when it is changed."""
    with pytest.raises(InvalidTenantError) as added:
        tenant(**change)
    with pytest.raises(InvalidTenantError) as changed:
        change_tenant(tenant(), change)
    assert faulty_fields(added.value) == faulty_fields(changed.value) == {field}
    assert SECRET not in f"{added.value}{changed.value}"


def test_every_fault_is_named_at_once() -> None:
    """A tenant with several faults is refused once, the key's and those of every depth among them."""
    settings = {
        "entra_tenant_id": "common",
        "organisation": "a/b",
        "client_secret": 5,
        "sources": {"email": ["surname"]},
        "match_keys": ["eppn", "eppn"],
        "guard": {"changed": {"share": "x"}},
        "schedule": "at night",
        "time_zone": "Nowhere",
        "shoe_size": 42,
    }
    with pytest.raises(InvalidTenantError) as caught:
        load_tenant("Å", settings)
    assert faulty_fields(caught.value) == {
        "key",
        "name",
        "client_id",
        "entra_tenant_id",
        "organisation",
        "client_secret",
        "sources.email",
        "match_keys",
        "guard.changed.count",
        "guard.changed.share",
        "schedule",
        "time_zone",
        "shoe_size",
    }


@given(settings=st.dictionaries(st.sampled_from([*FIRST_FIVE, *DEFAULTS, "sources"]), JSON) | JSON)
def test_any_json_has_an_answer(settings: Any) -> None:
    """Whatever JSON is given, it is a tenant or a refusal."""
    for candidate in (settings, {**FIRST_FIVE, **settings} if isinstance(settings, dict) else settings):
        with suppress(InvalidTenantError):
            loaded, secret = load_tenant("exempel", candidate)
            assert isinstance(loaded, Tenant)
            assert isinstance(secret, str)
        with suppress(InvalidTenantError):
            assert isinstance(change_tenant(tenant(), candidate)[0], Tenant)
