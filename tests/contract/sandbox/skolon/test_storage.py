"""The stand-in's storage, judged by the contract that scim2-server ships for storages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scim2_server.testing import ScimStorageContract
from scim2_server.utils import load_default_provider

from sandbox.skolon.schema import INDEXED_PATHS
from sandbox.skolon.storage import IndexedStorage

if TYPE_CHECKING:
    from scim2_models import ScimProvider

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture(scope="module")
def default_provider() -> ScimProvider:
    """Build the models of all default schemas once: that takes longer than any of the tests does."""
    return load_default_provider()


class _StorageContract(ScimStorageContract):
    """The contract on shared models; each test has a storage of its own."""

    @pytest.fixture
    def provider(self, default_provider: ScimProvider) -> ScimProvider:
        return default_provider


class TestIndexedStorage(_StorageContract):
    """Every rule of the contract, with the attributes of the contract's own searches indexed."""

    @pytest.fixture
    def storage(self, provider: ScimProvider) -> IndexedStorage:
        return IndexedStorage(provider, indexed=("title", f"{ENTERPRISE}:employeeNumber", *INDEXED_PATHS))


class TestUnindexedStorage(_StorageContract):
    """Every rule of the contract again, with nothing but the unique attributes indexed."""

    @pytest.fixture
    def storage(self, provider: ScimProvider) -> IndexedStorage:
        return IndexedStorage(provider)
