"""The stand-ins, served under a name that only their options tell them, as in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from sandbox.environment import BindAddress, serve_environment

if TYPE_CHECKING:
    from pathlib import Path

#: An address on loopback that the stand-ins don't know by themselves.
PLACE = BindAddress(host="127.0.0.2", name="127.0.0.2")


def test_the_name_it_is_served_by_is_good_for_everything(tmp_path: Path) -> None:
    """Certificate, token and Graph are to be had under the name that was given."""
    with serve_environment(tmp_path, users=5, bind=PLACE) as served, requests.Session() as session:
        session.trust_env = False
        session.verify = served.variables["UPDATE_SYNC_CA_BUNDLE"]
        graph = served.variables["UPDATE_SYNC_GRAPH_URL"]
        wanted = {
            "grant_type": "client_credentials",
            "client_id": served.tenant["client_id"],
            "client_secret": served.tenant["client_secret"],
            "scope": f"{graph}/.default",
        }
        given = session.post(f"{graph}/{served.tenant['entra_tenant_id']}/oauth2/v2.0/token", data=wanted)
        assert given.status_code == 200, given.text
        bearer = {"Authorization": f"Bearer {given.json()['access_token']}"}
        users = session.get(f"{graph}/v1.0/users", headers=bearer)

    assert graph.startswith("https://127.0.0.2:")
    assert users.status_code == 200
    assert users.json()["value"]
