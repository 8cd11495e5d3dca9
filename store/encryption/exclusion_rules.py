"""The values of `scope.exclude` in stored settings: sealed, for they mark people, protected ones too.

A rule is stored as `{"source": …, "encrypted": …}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.crypto.encryption import FieldCipher

#: What stands under this name in JSON is sealed.
ENCRYPTED_MEMBER: Final = "encrypted"

_VALUE: Final = "equals"


def encrypt_rules(settings: Mapping[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    """Return settings to be stored; those that are sealed already stay so."""

    def sealed(rule: Mapping[str, Any]) -> dict[str, Any]:
        if _VALUE not in rule:
            return dict(rule)
        return {**_without(rule, _VALUE), ENCRYPTED_MEMBER: cipher.encrypt(str(rule[_VALUE]))}

    return _with_rules(settings, sealed)


def decrypt_rules(settings: Mapping[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    """Return stored settings with their values in the clear; raise `UnsealableError` when no key fits."""

    def opened(rule: Mapping[str, Any]) -> dict[str, Any]:
        return {**_without(rule, ENCRYPTED_MEMBER), _VALUE: cipher.decrypt(rule[ENCRYPTED_MEMBER])}

    return _with_rules(settings, opened)


def without_exclusion_rules(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored settings without the rules: for who needs other settings, and may have no keys."""
    return {**settings, "scope": {**(settings.get("scope") or {}), "exclude": []}}


def _without(rule: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != name}


def _with_rules(
    settings: Mapping[str, Any], change: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    scope = settings.get("scope") or {}
    if not scope.get("exclude"):
        return dict(settings)
    return {**settings, "scope": {**scope, "exclude": [change(rule) for rule in scope["exclude"]]}}
