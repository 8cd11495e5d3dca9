"""`make screens`: pictures of the Data Hub's pages over the made-up municipality, into docs/screens/."""

from __future__ import annotations

import io
import logging
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from administration.dead_letters.tasks.requests import request_task_once
from administration.hub.sign_in import SignIn
from administration.tenants.change import change_settings
from cli.sandbox.in_process_sync import in_process_sync
from clients.gateways import create_gateways
from devtools.browser.browser import Look, browser
from devtools.commands import wait_for
from devtools.services import chromium
from hub.access import SESSION_COOKIE
from hub.app import create_app
from hub.services import HubServices
from runtime.logging import set_up_logging
from sandbox.environment import TENANT_KEY, serve_environment
from sandbox.serving import serve
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.cookie_keys import cookie_keys
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import FailureSelection, TaskKind
from schemas.hub.action import Actor, Submission
from schemas.hub.member import Role
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser

    from cli.sandbox.in_process_sync import InProcessSync

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screens"

#: Each language, scheme and width with each of the others: the pages are the same in all eight combinations.
LOOKS: Final = (
    Look(language="sv", scheme="light", width=390),
    Look(language="sv", scheme="dark", width=1100),
    Look(language="en", scheme="dark", width=390),
    Look(language="en", scheme="light", width=1100),
)

#: Pixels of a picture's height at most: a longer page is cut off.
_HEIGHT: Final = 1500

#: Colours of a picture: enough for text and a few bars.
_COLOURS: Final = 128

#: A schedule that a school may choose.
_SCHEDULE: Final = (
    "how=interval&minutes=30&interval_days=working_days&first=6&last=18&time_zone=Europe/Stockholm"
)

#: Behind an address: the page's first button is pressed, which shows values.
_PRESS: Final = " show"

_USERS: Final = 300
_SEED: Final = 1


def main() -> None:
    """Take the pictures afresh."""
    set_up_logging("console", level=logging.ERROR)
    for picture in FOLDER.glob("*.png"):
        picture.unlink()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="update-sync-screens-")))
        made_up = stack.enter_context(serve_environment(folder, users=_USERS, seed=_SEED))
        sync = stack.enter_context(in_process_sync(made_up, TENANT_KEY, folder))
        url, token = stack.enter_context(_serving(sync))
        running = stack.enter_context(browser(chromium.find()))
        # What a halted run asks stands on other pages too: those are taken before there is one.
        for make_pages in (_pages, _pages_of_a_halted_run):
            pages = make_pages(sync)
            for look in LOOKS:
                _take(running, look, url=url, token=token, pages=pages)


@contextmanager
def _serving(sync: InProcessSync) -> Iterator[tuple[str, str]]:
    """Serve the pages; give their address, and the session of an organisation administrator."""
    store, keys = sync.store, sync.settings.secret_keys
    sign_in = SignIn(store, BlindIndex(keys))
    services = HubServices(
        store=store,
        sign_in=sign_in,
        cookie_keys=cookie_keys(keys),
        gateways=create_gateways(sync.settings),
        secret_keys=keys,
        broker=sync.broker,
    )
    member = store.hub_members.add("Ada Administratör", Role.ADMINISTRATOR, [TENANT_KEY])
    store.hub_members.add("Lars Läsare", Role.READER, [TENANT_KEY])
    with serve(create_app(services).wsgi_app, port=0) as server:
        yield server.url, sign_in.start_session(member.id)


def _pages(sync: InProcessSync) -> Mapping[str, str]:
    """Make runs, and return the path of each page by the name of its picture."""
    first = sync.run()
    preview = sync.run(dry_run=True, settings={"sources": {"eppn": ["extensionAttribute3"]}})
    failed = sync.store.receipts.list(first.run.id, outcome=Outcome.DEAD_LETTERED, limit=1)[0]
    uncertain = sync.store.pending_matches.load(TENANT_KEY, limit=1).matches[0]
    tenant = f"/tenants/{TENANT_KEY}"
    task = _forecast(sync, failed.reason)
    return {
        "syncs": "/",
        "needs-attention": f"{tenant}/attention/",
        "failed-users": f"{tenant}/attention/{failed.reason}",
        "try-again": f"{tenant}/attention/{failed.reason}/choose/",
        "tried-first": f"{tenant}/tasks/{task}/",
        "runs": f"{tenant}/runs/",
        "run": f"{tenant}/runs/{first.run.id}",
        "preview": f"{tenant}/runs/{preview.run.id}",
        "undo": f"{tenant}/runs/{first.run.id}/undo/",
        "users-of-a-run": f"{tenant}/runs/{first.run.id}/users/{Outcome.UPDATED}",
        "start": f"{tenant}/start/",
        "look-up": f"{tenant}/users/",
        "user": f"{tenant}/users/{failed.entra_id}",
        "sync-now": f"{tenant}/users/{failed.entra_id}/sync/",
        "matches": f"{tenant}/matches/",
        "match": f"{tenant}/matches/{uncertain.entra_id}",
        "match-decision": f"{tenant}/matches/{uncertain.entra_id}/decide?answer=ignore_user",
        "user-with-values": f"{tenant}/users/{failed.entra_id}{_PRESS}",
        "report": f"{tenant}/report/",
        "settings": f"{tenant}/settings/",
        "schedule": f"{tenant}/schedule/",
        "schedule-times": f"{tenant}/schedule/times?{_SCHEDULE}",
        "connection": f"{tenant}/set-up/",
        "notifications": f"{tenant}/notifications/",
        "repair-list": f"{tenant}/repair-list/",
        "mapping": f"{tenant}/mapping/",
        "api-tokens": f"{tenant}/tokens/",
        "audit": f"{tenant}/audit",
        "members": "/members/",
        "member": f"/members/{sync.store.hub_members.list()[-1].id}",
        "permissions": "/permissions",
        "accessibility": "/accessibility",
        "not-found": f"{tenant}/no-such-page",
    }


def _pages_of_a_halted_run(sync: InProcessSync) -> Mapping[str, str]:
    """Make a run that the guard halts, as user names come from another property, and return its pages."""
    changes = {
        "sources": {"user_name": ["mail"]},
        "guard": {"identity_changed": {"count": 10, "share": 0.01}},
    }
    change_settings(TENANT_KEY, changes, sync.store.tenants)
    halted = sync.run()
    path = f"/tenants/{TENANT_KEY}/runs/{halted.run.id}"
    return {
        "halted-run": path,
        "answer": f"{path}/resume/",
        "answer-with-values": f"{path}/resume/{_PRESS}",
        "cancel": f"{path}/cancel/",
    }


def _forecast(sync: InProcessSync, reason: Reason | None) -> int:
    """Have the users tried that fail for a reason, and return the task when it has ended."""
    task = request_task_once(
        TENANT_KEY,
        TaskKind.FORECAST,
        FailureSelection(reason=reason or Reason.BUG),
        Submission(actor=Actor(), key="pictures"),
        store=sync.store,
    )
    wait_for(lambda: not sync.store.dead_letter_tasks.list(TENANT_KEY, only_open=True), "the forecast's end")
    return task


def _take(running: Browser, look: Look, *, url: str, token: str, pages: Mapping[str, str]) -> None:
    context = running.new_context(base_url=url, **look.options())
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])
    page = context.new_page()
    for name, path in pages.items():
        address, press, _ = path.partition(_PRESS)
        page.goto(address)
        if press:
            page.locator("main form button").first.click()
            page.locator("main bdi").first.wait_for()
        kind = "phone" if look.width < 600 else "wide"
        picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, _HEIGHT)))
        file = FOLDER / f"{name}-{look.language}-{look.scheme}-{kind}.png"
        # Also colours that few pixels have are kept: a bar's narrow share.
        cut.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    context.close()


if __name__ == "__main__":
    main()
