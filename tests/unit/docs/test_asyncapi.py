"""The description of our messages that others read, held to the schemas that check them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from dramatiq.common import xq_name
from marshmallow import Schema, missing

from queues.queue_names import work_queues
from runtime.version import VERSION
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import (
    QUEUES,
    TENANT_PAGE_ACTOR,
    TENANT_SYNC_ACTOR,
    USER_SYNC_ACTOR,
    CloudEventSchema,
    SyncRequestSchema,
    TenantPageSchema,
    UserSyncSchema,
)
from schemas.outcomes import Mode

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
)
DESCRIBED: dict[str, Any] = DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("CloudEvent", CloudEventSchema()),
        ("SyncRequest", SyncRequestSchema()),
        ("TenantPage", TenantPageSchema()),
        ("UserSync", UserSyncSchema()),
    ],
)
def test_the_document_has_the_fields_that_are_checked(name: str, schema: Schema) -> None:
    """Fields, which of them are required, and which may be null are the same in both."""
    properties = DESCRIBED[name]["properties"]

    assert set(properties) == set(schema.fields)
    assert set(DESCRIBED[name]["required"]) == {key for key, field in schema.fields.items() if field.required}
    nullable = {key for key, described in properties.items() if "null" in described.get("type", ())}
    assert nullable == {key for key, field in schema.fields.items() if field.allow_none}
    for key, field in schema.fields.items():
        if "default" in properties[key]:
            default = field.load_default() if callable(field.load_default) else field.load_default
            assert default is not missing
            assert properties[key]["default"] == default


def test_the_document_has_the_words_that_are_used() -> None:
    """Queues, actors, modes, reasons and the version are the same in both."""
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    messages = DOCUMENT["components"]["messages"]
    actors = {
        message["payload"]["allOf"][1]["properties"]["actor_name"]["const"]
        for message in messages.values()
        if "allOf" in message["payload"]
    }

    assert addresses == {name for queue in QUEUES for name in (*work_queues(queue), xq_name(queue))}
    assert actors == {TENANT_SYNC_ACTOR, TENANT_PAGE_ACTOR, USER_SYNC_ACTOR}
    assert DESCRIBED["SyncRequest"]["properties"]["mode"]["enum"] == list(Mode)
    assert DESCRIBED["Metadata"]["properties"]["reason"]["enum"] == list(Reason)
    assert DOCUMENT["info"]["version"] == VERSION
