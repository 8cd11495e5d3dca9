"""An app registration, as a tenant of Entra ID knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class App:
    """An app registration as one tenant knows it.

    ``certificate``: the one in PEM that was uploaded for it, if any.
    ``permitted``: User.Read.All (application) is granted and consented. ``demanded_nbf``:
    when set, tokens have to be got with a claims challenge that holds this value.
    """

    tenant: str
    client_id: str
    client_secret: str
    certificate: str | None = None
    secret_expired: bool = False
    permitted: bool = True
    demanded_nbf: str | None = None
