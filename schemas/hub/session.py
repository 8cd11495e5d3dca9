"""Sign-ins to the Data Hub: how long links and sessions last, and why a sign-in is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: How long a link signs in.
LINK_LIFETIME: Final = dt.timedelta(minutes=10)

#: How long a session lasts, and how long without a page.
SESSION_LIFETIME: Final = dt.timedelta(hours=8)
IDLE_LIFETIME: Final = dt.timedelta(minutes=30)

#: How long a link signs the same browser in again that has used it, as after a double click.
REPEATED_WITHIN: Final = dt.timedelta(minutes=1)

#: So many refused sign-ins of one address are recorded within so long, and no more. What is right signs in
#: all the same: others may share the address.
MAX_REFUSED: Final = 10
REFUSED_WITHIN: Final = dt.timedelta(minutes=10)


class AuditKind(StrEnum):
    """What happened."""

    INVITED = "invited"
    #: By a link.
    SIGNED_IN = "signed_in"
    SIGNED_IN_BY_ENTRA = "signed_in_by_entra"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    REMOVED = "removed"
    #: A new link for a member who was invited before.
    LINK_MADE = "link_made"
    MEMBER_CHANGED = "member_changed"
    #: Another member signed the member out everywhere.
    SESSIONS_ENDED = "sessions_ended"
    #: A member looked at a user's values.
    VALUES_REVEALED = "values_revealed"
    #: A member looked at which rule leaves a user out.
    SCOPE_REVEALED = "scope_revealed"
    #: A member looked at the names of the users that fail for a reason.
    NAMES_REVEALED = "names_revealed"
    TOKEN_MADE = "token_made"  # noqa: S105 - the name of an event, no secret
    TOKEN_ENDED = "token_ended"  # noqa: S105 - the name of an event, no secret
    #: A run, or a preview, was asked for.
    RUN_REQUESTED = "run_requested"
    PREVIEW_REQUESTED = "preview_requested"
    #: One user was to be synced now.
    USER_SYNC_REQUESTED = "user_sync_requested"
    RUN_CANCELLED = "run_cancelled"
    RUN_RESUMED = "run_resumed"
    #: The guard's question was answered with yes.
    GUARD_OVERRIDDEN = "guard_overridden"
    #: A match was decided, or a decision was taken back.
    MATCH_LINKED = "match_linked"
    USER_IGNORED = "user_ignored"
    DECISION_FORGOTTEN = "decision_forgotten"
    SCHEDULE_CHANGED = "schedule_changed"
    SCHEDULE_PAUSED = "schedule_paused"
    SCHEDULE_RESUMED = "schedule_resumed"
    #: An undo of a run, or its preview, was asked for.
    RUN_UNDONE = "run_undone"
    UNDO_PREVIEWED = "undo_previewed"
    #: A member had users that fail tried, replayed or set aside in the background.
    USERS_TRIED = "users_tried"
    USERS_REPLAYED = "users_replayed"
    USERS_SET_ASIDE = "users_set_aside"
    #: A group was set aside until a day, or had back before.
    GROUP_SET_ASIDE = "group_set_aside"
    GROUP_HAD_BACK = "group_had_back"
    TASK_PAUSED = "task_paused"
    TASK_RESUMED = "task_resumed"
    TASK_CANCELLED = "task_cancelled"
    TENANT_ADDED = "tenant_added"
    #: The directory or the app in Entra was entered.
    APP_CHANGED = "app_changed"
    #: A client secret, or the date on which it expires, was entered.
    SECRET_SET = "secret_set"  # noqa: S105 - the name of an event, no secret
    SYNC_SWITCHED_ON = "sync_switched_on"
    SYNC_SWITCHED_OFF = "sync_switched_off"
    DRAFT_MADE = "draft_made"
    #: A program has changed a draft; what members press on its page is not recorded one by one.
    DRAFT_CHANGED = "draft_changed"
    DRAFT_DISCARDED = "draft_discarded"
    #: A second person has approved a draft.
    DRAFT_APPROVED = "draft_approved"
    #: Which attributes need a second person was changed.
    APPROVALS_CHANGED = "approvals_changed"
    #: A draft, or a former mapping, became the active one.
    MAPPING_ACTIVATED = "mapping_activated"
    MAPPING_RESTORED = "mapping_restored"
    #: Who is told of what was changed, a test was sent, or a secret for webhooks was made.
    NOTIFICATIONS_CHANGED = "notifications_changed"
    NOTIFICATION_TESTED = "notification_tested"
    WEBHOOK_SECRET_MADE = "webhook_secret_made"  # noqa: S105 - the name of an event, no secret


class LinkFault(StrEnum):
    """Why a link does not sign in."""

    #: There is no such link, or it was removed long after its end.
    UNKNOWN = "unknown"
    USED = "used"
    TOO_OLD = "too_old"
    #: Too many links of the address were refused.
    TOO_MANY = "too_many"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session of a member. All times are aware."""

    member: int
    last_seen: dt.datetime
    ends: dt.datetime

    def is_alive(self, now: dt.datetime) -> bool:
        """Whether the session still counts at the aware time `now`."""
        return now < self.ends and now < self.last_seen + IDLE_LIFETIME
