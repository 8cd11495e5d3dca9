"""Fills the database, and serves it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from django.db import connection

from devtools.foreign_servers.django_scim2.attributes import EXTENSION
from devtools.foreign_servers.django_scim2.models import User
from sandbox.serving import serve


def fill() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(User)
    given = json.loads(Path(os.environ["USERS"]).read_text(encoding="utf-8"))
    User.objects.bulk_create(
        User(
            scim_id=user["id"],
            scim_external_id=user.get("externalId") or "",
            username=user["userName"],
            first_name=user["name"]["givenName"],
            last_name=user["name"]["familyName"],
            email=next((entry["value"] for entry in user.get("emails", ())), ""),
            is_active=user["active"],
            eppn=user[EXTENSION].get("eppn", ""),
            idp_identifier=user[EXTENSION].get("idpIdentifier", ""),
            ssn=user[EXTENSION].get("ssn", ""),
            birth_date=user[EXTENSION].get("birthDate", ""),
        )
        for user in given
    )


def main() -> None:
    fill()
    with serve(get_wsgi_application(), port=int(os.environ["PORT"]), threads=4):
        threading.Event().wait()
