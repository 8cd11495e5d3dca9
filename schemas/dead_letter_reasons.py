"""The reasons of dead letters: words of the contract, each with a remedy in `schemas.reports`."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a message is a dead letter."""

    INVALID_USER = "invalid_user"
    AMBIGUOUS_MATCH = "ambiguous_match"
    SUSPICIOUS_MATCH = "suspicious_match"
    COLLISION = "collision"
    VALUE_TAKEN = "value_taken"
    UNDO_FAILED = "undo_failed"
    REJECTED_BY_SKOLON = "rejected_by_skolon"
    CONFLICT = "conflict"
    GAVE_UP = "gave_up"
    CRASHED_WORKER = "crashed_worker"
    UNDECODABLE = "undecodable"
    FORGED_MESSAGE = "forged_message"
    INVALID_TRIGGER = "invalid_trigger"
    UNKNOWN_TENANT = "unknown_tenant"
    GUARD_UNANSWERED = "guard_unanswered"
    BUG = "bug"
