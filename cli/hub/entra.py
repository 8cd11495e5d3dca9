"""Sign-in to the Data Hub by Entra, put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from administration.hub.entra_sign_in import EntraRules, EntraSignIn
from bootstrap.hub_entra import create_entra_client
from schemas.hub.member import Role

if TYPE_CHECKING:
    from administration.hub.sign_in import SignIn
    from schemas.crypto.encryption import FieldCipher
    from schemas.settings import Settings
    from store.store import Store

#: Where Entra sends browsers back to, behind the Data Hub's public address: the application's redirect URI.
_REDIRECT_PATH: Final = "/sign-in/entra/done"


def entra_sign_in(
    settings: Settings, store: Store, sign_in: SignIn, cipher: FieldCipher
) -> EntraSignIn | None:
    """Return the sign-in by Entra that the settings describe, None if they describe none."""
    client = create_entra_client(settings)
    if client is None:
        return None
    pairs = (each.rpartition("=") for each in settings.hub_roles)
    return EntraSignIn(
        client=client,
        rules=EntraRules(
            roles={claim.strip(): Role(role.strip()) for claim, _, role in pairs},
            operator_directory=settings.hub_operator_directory.lower(),
        ),
        redirect_uri=settings.hub_url + _REDIRECT_PATH,
        store=store,
        sign_in=sign_in,
        cipher=cipher,
    )
