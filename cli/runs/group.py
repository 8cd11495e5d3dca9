"""The group `update-sync runs`: it says of a run that is asked for too early that a request still waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from administration.runs.idle import describe_requests, waiting_requests
from cli.context import current_services
from cli.lazy_group import LazyGroup
from schemas.errors import UnknownRunError
from schemas.settings import Requirement

if TYPE_CHECKING:
    import click


class RunsGroup(LazyGroup):
    """A group of commands about runs, each given by its number."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an unknown run may be one that no producer has started yet."""
        try:
            return super().invoke(ctx)
        except UnknownRunError as error:
            services = current_services(Requirement.DATABASE)
            requests = waiting_requests(services.broker) if services.settings.amqp_url else None
            if requests is None or not requests.count:
                raise
            raise UnknownRunError(f"{error.summary} {describe_requests(requests)}") from error
