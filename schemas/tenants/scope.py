"""The scope of a tenant: which users of the directory the sync includes, by kind of account and by rules."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validate, validates_schema

from schemas.fields import StrictBoolean
from schemas.users.graph_user import TEXT_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Operator(StrEnum):
    """How a rule compares a user's value with its own, without regard to case."""

    EQUALS = "equals"
    ONE_OF = "one_of"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    #: Takes no value: the user has none.
    IS_BLANK = "is_blank"


@dataclass(frozen=True, kw_only=True)
class ScopeRule:
    """A rule holds for users whose `source` compares so with one of `values`; a blank one has no values."""

    source: str
    operator: Operator
    values: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The rule as options take it, with … for its values: these may mark a protected identity."""
        return self._text("…")

    @property
    def text(self) -> str:
        """The rule as options take it, with its values."""
        return self._text(",".join(self.values))

    @property
    def comparison(self) -> tuple[str, Operator, frozenset[str]]:
        """What it compares; rules with the same comparison hold for the same users."""
        operator = Operator.ONE_OF if self.operator is Operator.EQUALS else self.operator
        return self.source, operator, frozenset(map(folded, self.values))

    def _text(self, values: str) -> str:
        if self.operator is Operator.IS_BLANK:
            return f"{self.source}:{self.operator}"
        if self.operator is Operator.EQUALS:
            return f"{self.source}={values}"
        return f"{self.source}:{self.operator}={values}"


def folded(text: str) -> str:
    """Return a text as rules compare it: without regard to case and surrounding space."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which users of the directory the sync includes.

    With `include` a user needs one of those rules, and no user may have one of `exclude`. `members_only`
    leaves out guests.
    """

    enabled_only: bool = False
    members_only: bool = True
    include: tuple[ScopeRule, ...] = ()
    exclude: tuple[ScopeRule, ...] = ()

    @cached_property
    def exclude_labels(self) -> tuple[str, ...]:
        """The labels of the rules in `exclude`; rules with the same one have their number behind it."""
        labels = [rule.label for rule in self.exclude]
        return tuple(
            label if labels.count(label) == 1 else f"{label} (rule {position + 1})"
            for position, label in enumerate(labels)
        )

    @property
    def sources(self) -> frozenset[str]:
        """The sources that its rules name."""
        return frozenset(rule.source for rule in (*self.include, *self.exclude))


#: Most values of one rule.
MAX_VALUES: Final = 1000


def _value() -> fields.String:
    return fields.String(
        validate=validate.Regexp(r"\s*\S", error="A blank value means no user: name one, or use is_blank.")
    )


class ScopeRuleSchema(Schema):
    """One rule of `scope.include` or `scope.exclude`: a source, and one operator with its value."""

    source = fields.String(required=True, validate=validate.OneOf(TEXT_SOURCES))
    equals = _value()
    one_of = fields.List(_value(), validate=validate.Length(min=1, max=MAX_VALUES))
    starts_with = _value()
    ends_with = _value()
    is_blank = StrictBoolean(
        validate=validate.OneOf([True], error="Say true; for users with a value, exclude those without.")
    )

    @validates_schema(skip_on_field_errors=False)
    def _one_operator(self, data: Mapping[str, Any], **_: object) -> None:
        named = [operator for operator in Operator if operator in data]
        if len(named) > 1:
            raise ValidationError(f"Has {' and '.join(named)}: a rule has one operator.")

    @validates_schema
    def _has_operator(self, data: Mapping[str, Any], **_: object) -> None:
        if not any(operator in data for operator in Operator):
            raise ValidationError(f"Name one of {', '.join(Operator)}.")

    @post_load
    def _rule(self, data: Mapping[str, Any], **_: object) -> ScopeRule:
        operator = next(each for each in Operator if each in data)
        value = data[operator]
        values: tuple[str, ...] = ()
        if operator is Operator.ONE_OF:
            # Of values that compare alike, the first one is kept.
            first: dict[str, str] = {}
            for each in value:
                first.setdefault(folded(each), each)
            values = tuple(first.values())
        elif operator is not Operator.IS_BLANK:
            values = (value,)
        return ScopeRule(source=data["source"], operator=operator, values=values)

    @pre_dump
    def _json(self, rule: ScopeRule, **_: object) -> dict[str, Any]:
        value: object = list(rule.values)
        if rule.operator is Operator.IS_BLANK:
            value = True
        elif rule.operator is not Operator.ONE_OF:
            value = rule.values[0]
        return {"source": rule.source, str(rule.operator): value}


class ScopeSchema(Schema):
    """`scope` of a tenant."""

    enabled_only = StrictBoolean()
    members_only = StrictBoolean()
    # The names themselves are taken: marshmallow schemas have attributes of the second one.
    inclusions = fields.List(fields.Nested(ScopeRuleSchema), data_key="include", attribute="include")
    exclusions = fields.List(fields.Nested(ScopeRuleSchema), data_key="exclude", attribute="exclude")

    @post_load
    def _each_rule_once(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Keep the first of rules that compare alike: a second one would change nothing."""
        rules = [name for name in ("include", "exclude") if name in data]
        return {**data, **{name: each_once(data[name]) for name in rules}}


def each_once(rules: Iterable[ScopeRule]) -> list[ScopeRule]:
    """Return the rules without those that compare as an earlier one does."""
    kept: dict[object, ScopeRule] = {}
    for rule in rules:
        kept.setdefault(rule.comparison, rule)
    return list(kept.values())
