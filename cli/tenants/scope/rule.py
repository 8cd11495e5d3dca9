"""Reads a rule of the scope as options give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.errors import UsageError
from schemas.setting_validators import text_faults
from schemas.tenants.scope import Operator, ScopeRuleSchema
from schemas.users.graph_user import TEXT_SOURCES
from schemas.validation import flatten_errors
from schemas.words import allowed_words, is_word

if TYPE_CHECKING:
    from schemas.tenants.scope import ScopeRule

#: What a rule of the scope is, for the help of options.
RULE: Final = (
    "RULE is SOURCE=VALUE, SOURCE:is_blank, SOURCE:starts_with=VALUE, SOURCE:ends_with=VALUE or "
    "SOURCE:one_of=VALUE,VALUE. SOURCE is a property of Entra, such as department. Case does not count."
)

_FORMS: Final = "SOURCE=VALUE, SOURCE:OPERATOR=VALUE or SOURCE:is_blank"

_SCHEMA: Final = ScopeRuleSchema()


def scope_rule(text: str, option: str) -> ScopeRule:
    """Return the rule that SOURCE=VALUE, SOURCE:OPERATOR=VALUE or SOURCE:is_blank means.

    Raises `UsageError` for another form, and for a source, an operator or a value that is none. It names the
    option and the word, and never the value.
    """
    name, equals, value = text.partition("=")
    source, colon, word = (part.strip() for part in name.partition(":"))
    operator = word if colon else str(Operator.EQUALS)
    if not is_word(source) or not is_word(operator) or not (equals or colon):
        # It may be a value, in front of which the source was forgotten.
        raise UsageError(f"{option} takes {_FORMS}.")
    typed = f"{option} {name.strip()}{'=…' if equals else ''}"
    if source not in TEXT_SOURCES:
        raise UsageError(f"{typed}: there is no source {source}. {allowed_words(source, TEXT_SOURCES)}")
    if operator not in list(Operator):
        raise UsageError(f"{typed}: there is no operator {operator}. {allowed_words(operator, Operator)}")
    if bool(equals) is (operator == Operator.IS_BLANK):
        raise UsageError(f"{typed}: {option} takes {_FORMS}.")
    given: object = value
    if operator == Operator.IS_BLANK:
        given = True
    elif operator == Operator.ONE_OF:
        # A blank between commas is refused: it may stand for a value that was forgotten.
        given = [each.strip() for each in value.split(",")]
    settings = {"source": source, operator: given}
    faults = flatten_errors(text_faults(settings)) or flatten_errors(_SCHEMA.validate(settings))
    if faults:
        raise UsageError(f"{typed}: {' '.join(dict.fromkeys(fault.message for fault in faults))}")
    rule: ScopeRule = _SCHEMA.load(settings)
    return rule
