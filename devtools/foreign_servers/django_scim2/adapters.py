"""How the project's users look in SCIM: what the library's own adapter does, and Skolon's extension."""

from __future__ import annotations

from typing import Any, ClassVar

from django_scim.adapters import SCIMUser

from devtools.foreign_servers.django_scim2.attributes import COLUMNS, EXTENSION, PATHS


class UserAdapter(SCIMUser):  # type: ignore[misc]  # the library has no types
    ATTR_MAP: ClassVar[dict[Any, str]] = {**SCIMUser.ATTR_MAP, **PATHS}

    @property
    def groups(self) -> list[Any]:
        return []

    def to_dict(self) -> dict[str, Any]:
        own = {name: getattr(self.obj, column) for name, column in COLUMNS.items()}
        user: dict[str, Any] = super().to_dict()
        return {**user, "schemas": [*user["schemas"], EXTENSION], EXTENSION: own}
