"""Sign-in to the Data Hub by Entra, as the settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.entra.sign_in import EntraClient

if TYPE_CHECKING:
    from schemas.settings import Settings


def create_entra_client(settings: Settings) -> EntraClient | None:
    """Return the client of the Data Hub's own application, None if there is none; sends nothing yet."""
    if not settings.hub_client_id:
        return None
    return EntraClient(
        authority=settings.hub_entra_authority or f"{settings.entra_authority.rstrip('/')}/organizations",
        client_id=settings.hub_client_id,
        client_secret=settings.hub_client_secret,
        ca_bundle=settings.ca_bundle,
    )
