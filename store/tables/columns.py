"""What all tables share: the metadata that they belong to, and columns of a kind."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, DateTime, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

#: Marks a column that holds encrypted values: as a text, or in JSON under the name `encrypted`. Key rotation
#: (`store/encryption/encrypted_values.py`) finds every encrypted value by this mark.
ENCRYPTED: Final = {"encrypted": True}


def timestamp(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a column that holds a time with its zone; it may be missing where it is `nullable`."""
    return Column(name, DateTime(timezone=True), nullable=nullable)
