"""The running command's services, closed when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootstrap.services import Services

if TYPE_CHECKING:
    from schemas.settings import Requirement


def current_services(*needs: Requirement) -> Services:
    """Return the running command's services, closed when it ends; without `needs` it needs everything."""
    made = Services(*needs)
    click.get_current_context().call_on_close(made.close)
    return made
