"""Whom the sync looks at, and that it never says why in the user's own words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tenants.scope import Operator, Scope, ScopeRule
from schemas.users.graph_user import TEXT_SOURCES, load_graph_user
from tests.unit.workers.factories import ENTRA_ID, equals, graph_users
from workers.rules.scope import evaluate_scope, exclusion_reason, exclusion_reasons

PROTECTED = equals("extensionAttribute15", "skyddad")


def why(scope: Scope, **given_properties: Any) -> str | None:
    return exclusion_reason(evaluate_scope(load_graph_user({"id": ENTRA_ID, **given_properties}), scope))


@given(
    raw=graph_users(),
    enabled=st.none() | st.booleans(),
    kind=st.none() | st.sampled_from(["Guest", " guest", "Member"]) | st.text(max_size=5),
)
def test_by_default_everybody_is_in_scope(raw: dict[str, Any], enabled: object, kind: str | None) -> None:
    """A tenant that says nothing about scope leaves out guests alone."""
    user = load_graph_user({**raw, "accountEnabled": enabled, "userType": kind})
    is_guest = (kind or "").strip().casefold() == "guest"
    assert (exclusion_reason(evaluate_scope(user, Scope())) is not None) is is_guest
    assert exclusion_reason(evaluate_scope(user, Scope(members_only=False))) is None


@pytest.mark.parametrize(
    ("properties", "inside"),
    [
        ({"accountEnabled": True}, True),
        ({"accountEnabled": False}, False),
        ({"accountEnabled": None}, False),
        ({}, False),
    ],
)
def test_enabled_only(properties: dict[str, Any], inside: bool) -> None:  # noqa: FBT001 - an expectation
    """With `enabled_only`, an account that is not said to be enabled is left alone."""
    assert (why(Scope(enabled_only=True), **properties) is None) is inside


@pytest.mark.parametrize(
    ("properties", "inside"),
    [
        ({"userType": "Member"}, True),
        ({"userType": "member"}, True),
        ({"userType": "Guest"}, False),
        ({"userType": " GUEST"}, False),
        ({"userType": None}, True),
        ({"userType": " "}, True),
        ({}, True),
    ],
)
def test_members_only(properties: dict[str, Any], inside: bool) -> None:  # noqa: FBT001 - an expectation
    """With `members_only`, a guest is left alone; accounts older than 2014 may have no kind."""
    assert (why(Scope(members_only=True), **properties) is None) is inside


@pytest.mark.parametrize("source", TEXT_SOURCES)
def test_a_rule_may_look_at_any_source(source: str) -> None:
    """An exclusion holds for every property that it may name, whatever the case and the space around."""
    scope = Scope(exclude=(equals(source, " SkyDDad "),))
    held: Any = "\tskyddad "
    user: dict[str, Any] = {source: held}
    if source == "id":
        user = {source: "skyddad"}
    elif source == "otherMails":
        user = {source: ["x@y.example", held]}
    elif source == "upnDomain":
        user = {"userPrincipalName": f"x@y@{held}"}
    elif source.startswith("extensionAttribute"):
        user = {"onPremisesExtensionAttributes": {source: held}}
    assert exclusion_reason(evaluate_scope(load_graph_user({"id": ENTRA_ID, **user}), scope)) is not None
    assert exclusion_reason(evaluate_scope(load_graph_user({"id": ENTRA_ID}), scope)) is None


@pytest.mark.parametrize("value", ["skyddad2", "oskyddad", "", None, "sky ddad"])
def test_a_rule_wants_the_whole_value(value: str | None) -> None:
    """An exclusion compares the whole value, not a part of it."""
    attributes = {"extensionAttribute15": value}
    assert why(Scope(exclude=(PROTECTED,)), onPremisesExtensionAttributes=attributes) is None


def test_any_one_rule_is_enough() -> None:
    """Of several exclusions the one that applies is named as options take it, without its value."""
    scope = Scope(exclude=(equals("city", "X"), PROTECTED))
    answer = why(scope, city="Y", onPremisesExtensionAttributes={"extensionAttribute15": "Skyddad"})
    assert answer == "scope.exclude extensionAttribute15=…: the user matches the rule"
    assert exclusion_reasons(scope)[PROTECTED] == answer


def test_rules_of_one_source_and_kind_are_told_apart() -> None:
    """Without their values they would read alike, so that their numbers stand behind them."""
    rules = equals("city", "X"), equals("city", "Y"), PROTECTED
    assert why(Scope(exclude=rules), city="y") == "scope.exclude city=… (rule 2): the user matches the rule"
    assert len(set(exclusion_reasons(Scope(exclude=rules)).values())) == len(rules)


@given(raw=graph_users("ŻŻhemligtŻŻ"), source=st.sampled_from(TEXT_SOURCES), data=st.data())
def test_the_reason_holds_no_value(raw: dict[str, Any], source: str, data: st.DataObject) -> None:
    """P6: why somebody is left alone is said without the value: it may mark a protected identity."""
    user = load_graph_user(raw)
    held = user.texts(source) or ("ŻŻhemligtŻŻ",)
    value = data.draw(st.sampled_from(held))
    answer = exclusion_reason(evaluate_scope(user, Scope(exclude=(equals(source, value),))))
    assert answer is None or (source in answer and (source == "id" or value not in answer))


def test_each_rule_says_what_it_looked_at() -> None:
    """Whoever is in scope is so for a reason for each rule; nothing is said after one that leaves out."""
    scope = Scope(enabled_only=True, members_only=True, exclude=(PROTECTED,))
    inside = load_graph_user({"id": ENTRA_ID, "accountEnabled": True, "userType": "Member"})
    assert [(each.setting, each.allows, each.reason) for each in evaluate_scope(inside, scope)] == [
        ("scope.enabled_only", True, "the account is enabled"),
        ("scope.members_only", True, "the account is a member"),
        ("scope.exclude extensionAttribute15=…", True, "the user does not match the rule"),
    ]
    outside = load_graph_user({"id": ENTRA_ID, "accountEnabled": False, "userType": "Member"})
    assert [each.allows for each in evaluate_scope(outside, scope)] == [False]


STAFF = {
    "department": "Skolförvaltningen",
    "jobTitle": "Lärare",
    "otherMails": ["a@b.example", "c@d.example"],
}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (("department", Operator.EQUALS, "SKOLFÖRVALTNINGEN "), True),
        (("department", Operator.EQUALS, "Skolfo\u0308rvaltningen"), True),
        (("department", Operator.EQUALS, "Skol"), False),
        (("jobTitle", Operator.ONE_OF, "Rektor", "lärare"), True),
        (("jobTitle", Operator.ONE_OF, "Rektor", "Elev"), False),
        (("department", Operator.STARTS_WITH, "skol"), True),
        (("department", Operator.STARTS_WITH, "förvaltning"), False),
        (("department", Operator.ENDS_WITH, "förvaltningen"), True),
        (("department", Operator.ENDS_WITH, "skol"), False),
        (("otherMails", Operator.ENDS_WITH, "@d.example"), True),
        (("userPrincipalName", Operator.ENDS_WITH, "@k.example"), True),
        (("upnDomain", Operator.EQUALS, "k.example"), True),
        (("upnDomain", Operator.EQUALS, "example"), False),
        (("companyName", Operator.IS_BLANK), True),
        (("employeeType", Operator.IS_BLANK), True),
        (("department", Operator.IS_BLANK), False),
        (("officeLocation", Operator.STARTS_WITH, "x"), False),
    ],
)
def test_operators(rule: tuple[str, ...], *, holds: bool) -> None:
    """Each operator includes and excludes the same users, without regard to case and surrounding space."""
    source, operator, *values = rule
    one = ScopeRule(source=source, operator=Operator(operator), values=tuple(values))
    user = {**STAFF, "userPrincipalName": "x@K.example", "companyName": " ", "employeeType": None}
    assert (why(Scope(exclude=(one,)), **user) is None) is not holds
    assert (why(Scope(include=(one,)), **user) is None) is holds


def test_one_rule_that_includes_is_enough() -> None:
    """Of several rules that include one has to hold, and one that excludes wins over them."""
    rules = equals("department", "A"), equals("department", "Skolförvaltningen")
    assert why(Scope(include=rules), **STAFF) is None
    assert why(Scope(include=rules[:1]), **STAFF) == "scope.include: the user matches no rule"
    assert why(Scope(include=rules, exclude=(equals("jobTitle", "Lärare"),)), **STAFF) is not None
    user = load_graph_user({"id": ENTRA_ID, **STAFF})
    (result,) = evaluate_scope(user, Scope(members_only=False, include=rules))
    assert (result.reason, result.rule) == ("the user matches department=…", rules[1])
