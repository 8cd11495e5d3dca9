"""Tokens of the Data Hub's API."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, or_, select, update

from schemas.errors import UsageError
from schemas.hub.api_token import ApiToken
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database

#: That a token is used is noted at most so often: most requests write nothing.
_USED_INTERVAL: Final = dt.timedelta(hours=1)


class HubApiTokens:
    """The tokens' table, by the hash of each; may be shared by threads. Labels are encrypted."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def add(self, token_hash: str, tenant: str, label: str, member: int, *, may_act: bool) -> ApiToken:
        """Store a token that a member made for a tenant; raise `UsageError` if there is no such tenant."""
        tenants, tokens = tables.tenants, tables.hub_api_tokens
        created = now()
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == tenant))
            if tenant_id is None:
                raise UsageError("There is no tenant of this name.")
            values = {
                "token_hash": token_hash,
                "tenant_id": tenant_id,
                "label": self._cipher.encrypt(label),
                "may_act": may_act,
                "member_id": member,
                "created": created,
            }
            key = connection.execute(insert(tokens).values(values)).inserted_primary_key
        number = int(key[0])  # type: ignore[index] # an insert of one row has a key
        return ApiToken(
            id=number,
            tenant=tenant,
            label=label,
            may_act=may_act,
            member=member,
            created=created,
            last_used=None,
        )

    def list(self, tenant: str) -> Sequence[ApiToken]:
        """Return a tenant's tokens, the newest first."""
        query = _SELECT.where(tables.tenants.c.key == tenant).order_by(tables.hub_api_tokens.c.id.desc())
        with self._database.transaction() as connection:
            return [self._token(row) for row in connection.execute(query)]

    def use(self, token_hash: str) -> ApiToken | None:
        """Return the token of a hash and note that it is used; None if there is none."""
        tokens, moment = tables.hub_api_tokens, now()
        is_token = tokens.c.token_hash == token_hash
        with self._database.transaction() as connection:
            row = connection.execute(_SELECT.where(is_token)).one_or_none()
            if row is None:
                return None
            if row.last_used is None or moment - as_utc(row.last_used) >= _USED_INTERVAL:
                long_ago = or_(tokens.c.last_used.is_(None), tokens.c.last_used <= moment - _USED_INTERVAL)
                connection.execute(update(tokens).where(is_token, long_ago).values(last_used=moment))
        return self._token(row)

    def remove(self, tenant: str, token: int) -> bool:
        """Remove a token of a tenant, by number; True if the tenant had it."""
        tenants, tokens = tables.tenants, tables.hub_api_tokens
        tenant_id = select(tenants.c.id).where(tenants.c.key == tenant).scalar_subquery()
        with self._database.transaction() as connection:
            removed = connection.execute(
                delete(tokens).where(tokens.c.id == token, tokens.c.tenant_id == tenant_id)
            )
            return bool(removed.rowcount)

    def _token(self, row: Row[Any]) -> ApiToken:
        return ApiToken(
            id=row.id,
            tenant=row.key,
            label=self._cipher.decrypt(row.label),
            may_act=row.may_act,
            member=row.member_id,
            created=as_utc(row.created),
            last_used=row.last_used and as_utc(row.last_used),
        )


_SELECT: Final = select(tables.hub_api_tokens, tables.tenants.c.key).join(tables.tenants)
