"""The values of scope rules in stored settings: encrypted, for they mark users, protected ones too.

A rule is stored as `{"source": …, "encrypted": …}`; its operator is encrypted with its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.crypto.encryption import FieldCipher

#: What stands under this name in JSON is encrypted.
ENCRYPTED_MEMBER: Final = "encrypted"

_SOURCE: Final = "source"
_LISTS: Final = ("include", "exclude")


def encrypt_rules(settings: Mapping[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    """Return settings to be stored; those that are encrypted already stay so."""

    def encrypted(rule: Mapping[str, Any]) -> dict[str, Any]:
        if ENCRYPTED_MEMBER in rule:
            return dict(rule)
        comparison = {name: value for name, value in rule.items() if name != _SOURCE}
        return {_SOURCE: rule[_SOURCE], ENCRYPTED_MEMBER: cipher.encrypt_json(comparison)}

    return _with_rules(settings, encrypted)


def decrypt_rules(settings: Mapping[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    """Return stored settings with their values in the clear; raise `DecryptionError` when no key fits."""

    def decrypted(rule: Mapping[str, Any]) -> dict[str, Any]:
        return {_SOURCE: rule[_SOURCE], **cipher.decrypt_json(rule[ENCRYPTED_MEMBER])}

    return _with_rules(settings, decrypted)


def without_rules(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored settings without the rules: for who needs other settings, and may have no keys."""
    return {**settings, "scope": {**(settings.get("scope") or {}), **{name: [] for name in _LISTS}}}


def names_all_rules(changes: object, settings: Mapping[str, Any]) -> bool:
    """Say whether changes to settings replace every list of rules that is stored."""
    named = changes.get("scope") if isinstance(changes, dict) else None
    stored = settings.get("scope") or {}
    return isinstance(named, dict) and all(name in named for name in _LISTS if stored.get(name))


def _with_rules(
    settings: Mapping[str, Any], change: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    scope = settings.get("scope") or {}
    changed = {name: [change(rule) for rule in scope[name]] for name in _LISTS if scope.get(name)}
    return {**settings, "scope": {**scope, **changed}} if changed else dict(settings)
