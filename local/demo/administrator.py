"""The administrator of the demo: calls the gateway's own API with a token from the development identity provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from local.demo.steps import NotSeen

DEVELOPMENT_TENANT = "d0000000-0000-4000-8000-000000000001"
WAIT_SECONDS = 15.0
POLL_SECONDS = 0.2


class Administrator:
    """One administrator over HTTP on loopback."""

    def __init__(self, api_url: str, sign_in_url: str) -> None:
        answer = httpx.post(
            f"{sign_in_url}/{DEVELOPMENT_TENANT}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "development-admin",
                "client_secret": "development",
                "scope": "api://sip-gateway/.default",
            },
        )
        answer.raise_for_status()
        token = answer.json()["access_token"]
        self._http = httpx.Client(base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of the answer, None without one. Raises NotSeen that quotes the gateway's problem document."""
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise NotSeen(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None

    def device(self, mac: str) -> dict[str, Any]:
        """The device as the inventory shows it."""
        return dict(self.request("GET", f"/v1/devices/{mac}"))

    def await_device(self, mac: str, seen: Callable[[dict[str, Any]], bool], expected: str) -> dict[str, Any]:
        """Waits until the inventory shows what is expected. Raises NotSeen with what it shows instead."""
        return self._await(lambda: self.device(mac), seen, expected)

    def await_command(self, command_id: str, state: str) -> dict[str, Any]:
        """Waits until a command has this state."""
        return self._await(
            lambda: self.request("GET", f"/v1/commands/{command_id}"),
            lambda command: command["state"] == state,
            f"command {state}",
        )

    def sync(self) -> dict[str, Any]:
        """Runs the policy sync, and waits for the end of its job."""
        job = self.request("POST", "/v1/sync")
        return self._await(
            lambda: self.request("GET", f"/v1/jobs/{job['id']}"), lambda job: job["state"] == "succeeded", "job succeeded"
        )

    def _await(
        self, load: Callable[[], dict[str, Any]], seen: Callable[[dict[str, Any]], bool], expected: str
    ) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            value = load()
            if seen(value):
                return value
            if time.monotonic() > deadline:
                raise NotSeen(f"expected {expected}; the gateway still shows {value}")
            time.sleep(POLL_SECONDS)
