"""Shows a tenant's settings as lines: a setting inside another one has its path as its name."""

from __future__ import annotations

from typing import Any, Final

from schemas.safe_text import safe_json

#: Settings without a value.
_UNSET: Final = "-"


def setting_fields(settings: dict[str, Any]) -> dict[str, object]:
    """Return each setting as a text, by its path, such as `guard.changed.count`."""
    fields: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            fields |= {f"{name}.{inner}": text for inner, text in setting_fields(value).items()}
        else:
            fields[name] = _as_text(value)
    return fields


def _as_text(value: Any) -> str:
    match value:
        case None | [] | {}:
            return _UNSET
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(each, str) for each in value):
            return ", ".join(value)
        case list():
            return safe_json(value)
        case _:
            return str(value)
