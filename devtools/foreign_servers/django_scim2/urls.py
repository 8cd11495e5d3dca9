"""The addresses: SCIM below an organisation's name, and all users as the test wants to see them."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.urls import include, path

from devtools.foreign_servers.django_scim2.adapters import UserAdapter
from devtools.foreign_servers.django_scim2.models import User


def users(request: Any) -> JsonResponse:
    return JsonResponse([UserAdapter(user, request).to_dict() for user in User.objects.all()], safe=False)


urlpatterns = [
    path("users.json", users),
    path("exempelkommun/scim/v2/", include("django_scim.urls", namespace="scim")),
]
