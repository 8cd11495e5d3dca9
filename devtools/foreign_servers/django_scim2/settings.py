"""The settings of a Django project whose users are served by django-scim2, as the library leaves them."""

from __future__ import annotations

import os

SECRET_KEY = "made-up, and worth nothing outside"  # noqa: S105 - as it says
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "devtools.foreign_servers.django_scim2",
]
MIDDLEWARE = ["devtools.foreign_servers.django_scim2.authentication.bearer"]
ROOT_URLCONF = "devtools.foreign_servers.django_scim2.urls"
USE_TZ = True

SCIM_SERVICE_PROVIDER = {
    "NETLOC": "127.0.0.1",
    "AUTHENTICATION_SCHEMES": [{"type": "oauthbearertoken", "name": "token", "description": "a token"}],
    "USER_MODEL_GETTER": "devtools.foreign_servers.django_scim2.models.user_model",
    "USER_ADAPTER": "devtools.foreign_servers.django_scim2.adapters.UserAdapter",
    "USER_FILTER_PARSER": "devtools.foreign_servers.django_scim2.filters.UserFilter",
}
