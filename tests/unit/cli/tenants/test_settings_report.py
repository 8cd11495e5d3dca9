"""A tenant's settings as lines."""

from __future__ import annotations

from cli.tenants.settings_report import setting_fields
from schemas.tenants.tenant import dump_tenant
from tests.contract.store.factories import tenant


def test_settings_are_lines_with_paths() -> None:
    """A setting inside another one has a line of its own; lists, truth and missing values are words."""
    fields = setting_fields(
        {
            "name": "Exempelkommun",
            "ssn_country": None,
            "birthdays": True,
            "match_keys": ["external_id", "eppn"],
            "erase_blank": [],
            "scope": {"enabled_only": False, "exclude": [{"source": "city", "equals": "Å"}]},
            "guard": {"changed": {"count": 1000, "share": 0.5}, "not_found": None},
        }
    )
    assert fields == {
        "name": "Exempelkommun",
        "ssn_country": "-",
        "birthdays": "yes",
        "match_keys": "external_id, eppn",
        "erase_blank": "-",
        "scope.enabled_only": "no",
        "scope.exclude": '[{"source": "city", "equals": "Å"}]',
        "guard.changed.count": "1000",
        "guard.changed.share": "0.5",
        "guard.not_found": "-",
    }


def test_nothing_is_shown_as_python_has_it() -> None:
    """No setting of a tenant is shown with Python's signs for dictionaries, lists, texts or nothing."""
    texts = list(setting_fields(dump_tenant(tenant())).values())
    assert not [text for text in texts if any(sign in str(text) for sign in ("{'", "['", "None", "True"))]
