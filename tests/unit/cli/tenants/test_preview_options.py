"""`--set NAME=VALUE` as changes to a tenant's settings."""

from __future__ import annotations

from typing import Any

import pytest

from cli.tenants.preview_options import read_overrides


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (["eppn=extensionAttribute3, mail"], {"sources": {"eppn": ["extensionAttribute3", "mail"]}}),
        (["eppn="], {"sources": {"eppn": []}}),
        (["match_keys=eppn,email", "erase_blank="], {"match_keys": ["eppn", "email"], "erase_blank": []}),
        (["enabled_only=true", "scope.members_only=no"],
         {"scope": {"enabled_only": True, "members_only": False}}),
        (["exclude=city=A=B", "exclude=mail=x"], {
            "scope": {"exclude": [{"source": "city", "equals": "A=B"}, {"source": "mail", "equals": "x"}]}
        }),
        (["exclude="], {"scope": {"exclude": []}}),
        (["include=department:starts_with=Skol", "scope.include=jobTitle:one_of=A,B"], {
            "scope": {"include": [
                {"source": "department", "starts_with": "Skol"},
                {"source": "jobTitle", "one_of": ["A", "B"]},
            ]}
        }),
        (["exclude=companyName:is_blank"],
         {"scope": {"exclude": [{"source": "companyName", "is_blank": True}]}}),
        (["birthdays=false", "ssn_country=se"], {"birthdays": False, "ssn_country": "SE"}),
        (["ssn_country=none", "guard.changed=none"], {"ssn_country": None, "guard": {"changed": None}}),
        (["guard.not_found=5,12.5%"], {"guard": {"not_found": {"count": 5, "share": 0.125}}}),
        (["guard.identity_changed=5,0.1"], {"guard": {"identity_changed": {"count": 5, "share": 0.1}}}),
    ],
)  # fmt: skip
def test_settings_have_short_forms(settings: list[str], changes: dict[str, Any]) -> None:
    """What is set becomes the object that `tenants set --from` takes."""
    assert read_overrides(settings, {}) == (changes, [])


def test_every_fault_is_told_at_once() -> None:
    """What makes no sense is told option by option, and the others are read all the same."""
    wrong = ["eppn", "eppm=mail", "birthdays=perhaps", "guard.changed=many", "exclude=city", "city=city"]
    wrong += ["exclude=city:contains=x", "exclude=city:is_blank=x", "exclude=city:equals"]
    changes, faults = read_overrides(wrong, {"name": "x"})
    assert len(faults) == 8
    assert changes == {"name": "x", "sources": {"city": ["city"]}, "scope": {}}
    assert all(word in " ".join(faults) for word in ("NAME=VALUE", "eppm", "birthdays", "guard.changed"))


def test_options_go_on_top_of_a_file() -> None:
    """A setting that is named takes the place of the file's, and leaves what is beside it."""
    base = {"sources": {"eppn": ["mail"], "city": []}}
    assert read_overrides(["eppn="], base)[0] == {"sources": {"eppn": [], "city": []}}
    assert base == {"sources": {"eppn": ["mail"], "city": []}}
    assert "not an object" in read_overrides(["eppn="], {"sources": 7})[1][0]
