"""The pages of a tenant, as its menu lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString


@dataclass(frozen=True, kw_only=True)
class MenuEntry:
    """A page: its endpoint, which takes the tenant alone, its title, and the blueprints of its part."""

    endpoint: str
    title: LazyString
    blueprints: tuple[str, ...]


TENANT_PAGES: Final = (
    MenuEntry(
        endpoint="attention.overview",
        title=_("Needs attention"),
        blueprints=("attention", "choose", "tasks", "matches", "match_decisions", "repair"),
    ),
    MenuEntry(
        endpoint="runs.overview",
        title=_("Runs"),
        blueprints=("runs", "run_users", "start", "cancel", "resume", "undo"),
    ),
    MenuEntry(endpoint="users.search", title=_("Look up a user"), blueprints=("users",)),
    MenuEntry(endpoint="report.show", title=_("Report"), blueprints=("report",)),
    MenuEntry(
        endpoint="settings.show",
        title=_("Settings"),
        blueprints=("settings", "schedule", "set_up", "mapping", "drafts", "tokens", "notifications"),
    ),
    MenuEntry(endpoint="audit.of_tenant", title=_("Audit"), blueprints=("audit",)),
)
