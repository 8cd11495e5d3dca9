"""What can be searched for."""

from __future__ import annotations

from typing import Any, ClassVar

from django_scim.filters import UserFilterQuery

from devtools.foreign_servers.django_scim2.attributes import PATHS


class UserFilter(UserFilterQuery):  # type: ignore[misc]  # the library has no types
    attr_map: ClassVar[dict[Any, str]] = {
        **UserFilterQuery.attr_map,
        **PATHS,
        ("emails", "value", None): "email",
    }
