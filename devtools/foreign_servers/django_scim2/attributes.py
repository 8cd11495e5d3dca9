"""Where Skolon's extension and External Id live in the project's users."""

from __future__ import annotations

from typing import Final

EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"

#: The extension's attributes, by their columns.
COLUMNS: Final = {"eppn": "eppn", "idpIdentifier": "idp_identifier", "ssn": "ssn", "birthDate": "birth_date"}

#: As django-scim2 wants them: name, part and schema.
PATHS: Final[dict[tuple[str, None, str | None], str]] = {
    ("externalId", None, None): "scim_external_id",
    **{(name, None, EXTENSION): column for name, column in COLUMNS.items()},
}
