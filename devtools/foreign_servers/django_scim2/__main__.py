"""Serves the users of the JSON file USERS on the port PORT of loopback."""

from __future__ import annotations

import os
from importlib import import_module

import django

PACKAGE = "devtools.foreign_servers.django_scim2"

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{PACKAGE}.settings"
    django.setup()
    # What has to do with the database can be imported from here on.
    import_module(f"{PACKAGE}.server").main()
