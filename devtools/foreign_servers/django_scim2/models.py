"""The users of the project."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django_scim.models import AbstractSCIMUserMixin


class User(AbstractSCIMUserMixin):  # type: ignore[misc]  # Django has no types
    """A user, with the attributes that django-scim2 maps by itself, and those of Skolon's extension."""

    username = models.CharField(max_length=254)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    email = models.CharField(max_length=254)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    eppn = models.CharField(max_length=254)
    idp_identifier = models.CharField(max_length=254)
    ssn = models.CharField(max_length=20)
    birth_date = models.CharField(max_length=10)
    scim_groups: ClassVar[Any] = None

    def __str__(self) -> str:
        return str(self.scim_id)


def user_model() -> type[User]:
    return User
