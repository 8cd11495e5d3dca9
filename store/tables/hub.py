"""The tables of the Data Hub: members, their links and sessions, tokens, and the audit."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from store.tables.columns import ENCRYPTED, metadata, timestamp

#: Characters of a token's hash (SHA-256 in hexadecimal digits). The token itself is stored nowhere.
_HASH_LENGTH = 64

_GUID_LENGTH = 36

hub_members = Table(
    "hub_members",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, info=ENCRYPTED),
    Column("role", String(20), nullable=False),
    # The account in Entra that signs the member in: a directory and an object in it. Neither says who it is.
    Column("entra_directory", String(_GUID_LENGTH)),
    Column("entra_object", String(_GUID_LENGTH)),
    timestamp("created"),
    timestamp("signed_in", nullable=True),
    Index("ix_hub_members_entra", "entra_directory", "entra_object", unique=True),
    # The audit names members by id: an id is never given again.
    sqlite_autoincrement=True,
)

# How those were called who are no members any more: the audit still tells who did what.
hub_former_members = Table(
    "hub_former_members",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, info=ENCRYPTED),
)

hub_member_tenants = Table(
    "hub_member_tenants",
    metadata,
    Column("member_id", Integer, ForeignKey("hub_members.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
)

# Links that sign a member in, once.
hub_invitations = Table(
    "hub_invitations",
    metadata,
    Column("token_hash", String(_HASH_LENGTH), primary_key=True),
    Column("member_id", Integer, ForeignKey("hub_members.id", ondelete="CASCADE"), nullable=False),
    timestamp("expires"),
    timestamp("used", nullable=True),
    # Which browser has used it: the hash of a form's secret.
    Column("browser_hash", String(_HASH_LENGTH)),
)

hub_sessions = Table(
    "hub_sessions",
    metadata,
    Column("token_hash", String(_HASH_LENGTH), primary_key=True),
    Column("member_id", Integer, ForeignKey("hub_members.id", ondelete="CASCADE"), nullable=False),
    timestamp("created"),
    timestamp("last_seen"),
    timestamp("ends"),
    Index("ix_hub_sessions_member_id", "member_id"),
)

# Sign-ins and what changes them. No foreign key: the audit outlives the member.
hub_audit = Table(
    "hub_audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("member_id", Integer),
    # Another member, who did it to that one.
    Column("by_member_id", Integer),
    # A keyed digest of the browser's address, by which refused sign-ins are counted.
    Column("address_digest", String(32)),
    # The tenant by its key, and the user by the id in Entra or Skolon, of what is about them.
    Column("tenant", String(63)),
    Column("entra_id", String(100)),
    Column("skolon_id", String(255)),
    # The program's token that did it, and the run that it was done to.
    Column("token_id", Integer),
    Column("run_id", Integer),
    # Of a look at the users that fail for a reason: how many they were.
    Column("reason", String(30)),
    Column("users", Integer),
    # The trigger that asked for a run. It outlives the run.
    Column("event_id", String(200)),
    # Of a member who was invited or changed: the role and the tenants, and the former ones.
    Column("membership", JSON(none_as_null=True)),
    # Of what is about the mapping: the draft, its attributes, and which needed a second person.
    Column("mapping", JSON(none_as_null=True)),
    timestamp("at"),
    Index("ix_hub_audit_address_digest", "address_digest", "kind", "at"),
    # Its ids are a page's cursor: they are never given again.
    sqlite_autoincrement=True,
)

# Which tenants an event is about: those that its member belonged to then.
hub_audit_tenants = Table(
    "hub_audit_tenants",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("audit_id", Integer, ForeignKey("hub_audit.id", ondelete="CASCADE"), primary_key=True),
)

# What programs ask the API with, for one tenant each.
hub_api_tokens = Table(
    "hub_api_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("token_hash", String(_HASH_LENGTH), nullable=False, unique=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    # What it is for, as the member who made it says.
    Column("label", Text, nullable=False, info=ENCRYPTED),
    # Whether it may start runs and answer for the tenant, and not only read.
    Column("may_act", Boolean, nullable=False),
    # No foreign key: the token outlives the member.
    Column("member_id", Integer, nullable=False),
    timestamp("created"),
    timestamp("last_used", nullable=True),
    Index("ix_hub_api_tokens_tenant_id", "tenant_id"),
    # The audit may name tokens by id: an id is never given again.
    sqlite_autoincrement=True,
)

# What was done for a tenant, by the key of each action: the same one is not done twice.
hub_actions = Table(
    "hub_actions",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("action_key", String(100), primary_key=True),
    # Of what was asked for: the key is for that alone.
    Column("digest", String(_HASH_LENGTH), nullable=False),
    # No foreign key: what the audit has is not removed with it.
    Column("audit_id", Integer, nullable=False),
    timestamp("begun"),
    timestamp("done", nullable=True),
    Column("result", JSON),
)
