"""The stand-in's storage, judged by the contract that scim2-server ships for storages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scim2_server.testing import ScimStorageContract

from sandbox.skolon.schema import INDEXED_PATHS
from sandbox.skolon.storage import IndexedStorage

if TYPE_CHECKING:
    from scim2_models import ScimProvider

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class TestIndexedStorage(ScimStorageContract):
    """Every rule of the contract, with the attributes of the contract's own searches indexed."""

    @pytest.fixture
    def storage(self, provider: ScimProvider) -> IndexedStorage:
        return IndexedStorage(provider, indexed=("title", f"{ENTERPRISE}:employeeNumber", *INDEXED_PATHS))


class TestUnindexedStorage(ScimStorageContract):
    """Every rule of the contract again, with nothing but the unique attributes indexed."""

    @pytest.fixture
    def storage(self, provider: ScimProvider) -> IndexedStorage:
        return IndexedStorage(provider)
