"""The life of one Yealink T46S, journey by journey: each function is a step or a few that belong together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from local.demo.administrator import Administrator
from local.demo.browser import UserAtComputer
from local.demo.steps import NotSeen, Steps
from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.sip_client import CallOutcome

MAC = "805ec0123456"
SPELLED_MAC = "80:5E:C0:12:34:56"
ANNA = "anna@example.com"
ANNAS_NUMBER = "+4989123401"
CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")


@dataclass(frozen=True)
class Cast:
    """Everybody in the demo."""

    steps: Steps
    administrator: Administrator
    phone: VirtualPhone
    public_url: str
    trust: Path
    pictures: Path | None


def live(cast: Cast) -> None:
    """The whole life. Raises at the first step that was not seen."""
    add(cast)
    onboard(cast)
    enroll(cast)
    sign_in(cast)
    survive_stranger(cast)
    change_policy(cast)
    restart(cast)
    sign_out(cast)
    sign_in_remotely(cast)
    lose_policy(cast)
    wait_for_offline_phone(cast)
    remove(cast)


def add(cast: Cast) -> None:
    """Journey 2, the administrator's part; and what a stranger sees."""
    with cast.steps.step("The administrator adds the device"):
        device = cast.administrator.request("POST", "/v1/devices", {"mac": SPELLED_MAC, "location": "Reception"})
        cast.steps.expect("added", device["state"], "state")
        cast.steps.show(f"{device['mac']} · {device['state']} · {device['connection']} · {device['location']}")
    with cast.steps.step("A stranger without a known phone gets the plain 404"):
        answer = _get(cast, f"/{MAC}.cfg", "curl/8.0")
        cast.steps.expect(404, answer.status_code, "status")
        cast.steps.show(f"404 {answer.text.strip()!r}")


def onboard(cast: Cast) -> None:
    """Journey 1."""
    with cast.steps.step("Onboard: the factory-fresh phone fetches its files and registers over TLS"):
        cast.phone.factory_reset()
        cast.phone.power_on()
        device = cast.administrator.await_device(MAC, lambda it: it["state"] == "onboarded", "state onboarded")
        cast.steps.expect("online", device["connection"], "connection")
        cast.steps.show(f"inventory: {device['model']} {device['firmware']} · {device['state']} · {device['connection']}")
    with cast.steps.step("Fetched again, the files are unchanged (304)"):
        before = len(cast.phone.requests)
        cast.steps.expect(Reaction.REFETCHED, cast.phone.refetch(), "reaction")
        statuses = {request.status for request in cast.phone.requests[before:]}
        cast.steps.expect({HTTPStatus.NOT_MODIFIED}, statuses, "status of every file")
    with cast.steps.step("The onboarding account may dial feature codes only"):
        _refused(cast, cast.phone.dial("+4989000000"))


def enroll(cast: Cast) -> None:
    """Journey 2."""
    issued = cast.administrator.request("POST", f"/v1/devices/{MAC}/otp")
    with cast.steps.step("Enroll: a wrong one-time password is refused with its reason"):
        wrong = f"{(int(issued['otp']) + 1) % 1000000:06}"
        _refused(cast, cast.phone.dial(f"*55*{wrong}"))
    with cast.steps.step("Enroll: the technician dials *55* and the right one-time password"):
        outcome = cast.phone.dial(f"*55*{issued['otp']}")
        cast.steps.expect("Phone enrolled", outcome.reason_phrase, "reason on the phone")
        cast.phone.await_notify()
        device = cast.administrator.await_device(MAC, lambda it: it["state"] == "enrolled", "state enrolled")
        cast.steps.show(f"inventory: {device['state']} since {device['enrolled_at']}")
    with cast.steps.step("The same one-time password a second time is refused"):
        _refused(cast, cast.phone.dial(f"*55*{issued['otp']}"))


def sign_in(cast: Cast) -> None:
    """Journey 3, at the phone."""
    with cast.steps.step("Sign in: the phone shows the authorization URL and a pairing code"):
        screen = cast.phone.press("Sign in")
        code = _code_on(screen.text if screen else "")
        refreshed = cast.phone.press("Refresh")
        cast.steps.expect(code, _code_on(refreshed.text if refreshed else ""), "code after Refresh")
        cast.steps.show(f"pairing code {code}")
    with cast.steps.step("Sign in: Anna signs in on the web pages, types the code and confirms the phone"):
        _pair_in_browser(cast, code)
    _await_signed_in(cast)


def survive_stranger(cast: Cast) -> None:
    """A MAC alone gives nothing away and disturbs nobody."""
    with cast.steps.step("A stranger fetches stage 1 with the signed-in phone's MAC: no secret, nothing broken"):
        answer = _get(cast, f"/{MAC}.cfg", "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56")
        own = cast.phone.device_settings.provisioning_url
        for secret in ("password", "auth_name", ANNAS_NUMBER, own):
            if secret in answer.text:
                raise NotSeen(f"the stranger's file holds {secret!r}")
        cast.steps.show(f"{answer.status_code}: {answer.text.splitlines()}")
        cast.steps.expect(Reaction.REFETCHED, cast.phone.refetch(), "the real phone's fetch")
        cast.steps.expect("signed_in", cast.administrator.device(MAC)["state"], "state")


def change_policy(cast: Cast) -> None:
    """Journey 5."""
    with cast.steps.step("Keep in line: a sync with nothing changed sends nothing"):
        job = cast.administrator.request("POST", "/v1/sync")
        cast.steps.expect(0, job["counts"]["changed"], "changed")
        cast.steps.show(job["counts"])
    with cast.steps.step("Keep in line: a changed name reaches the phone by check-sync"):
        cast.administrator.request("PUT", f"/v1/users/{ANNA}", {"display_name": "Anna Berg-Ø <Desk>"})
        job = cast.administrator.request("POST", "/v1/sync")
        cast.steps.expect(1, job["counts"]["changed"], "changed")
        cast.steps.expect(Reaction.REREGISTERED, cast.phone.await_notify(), "reaction")
        account = cast.phone.device_settings.account
        cast.steps.expect("Anna Berg-Ø <Desk>", account.display_name if account else None, "name on the phone")


def restart(cast: Cast) -> None:
    """Journey 6."""
    with cast.steps.step("Manage: restart, acknowledged by the phone, and back online"):
        command = cast.administrator.request("POST", f"/v1/devices/{MAC}/restart")
        cast.steps.show(f"command {command['type']} · {command['state']}")
        cast.steps.expect(Reaction.RESTARTED, cast.phone.await_notify(), "reaction")
        done = cast.administrator.await_command(command["id"], "acknowledged")
        cast.steps.show(f"command {done['type']} · {done['state']} · SIP {done['sip_status']}")
        cast.administrator.await_device(MAC, lambda it: it["connection"] == "online", "online")


def sign_out(cast: Cast) -> None:
    """Journey 3, the way back."""
    with cast.steps.step("Sign out at the phone, with a confirmation"):
        cast.phone.press("Sign out")
        cast.phone.press("Sign out")
        cast.steps.expect(Reaction.REREGISTERED, cast.phone.await_notify(), "reaction")
        device = cast.administrator.await_device(MAC, lambda it: it["state"] == "enrolled", "state enrolled")
        cast.steps.expect(None, device["user"], "user")


def sign_in_remotely(cast: Cast) -> None:
    """Journey 3, remote."""
    with cast.steps.step("Remote sign-in: the administrator starts the pairing and hands URL and code on"):
        offer = cast.administrator.request("POST", f"/v1/devices/{MAC}/sign-in", {})
        cast.steps.show(f"{offer['authorization_url']} · {offer['pairing_code']} · until {offer['expires_at']}")
        _pair_in_browser(cast, offer["pairing_code"])
    _await_signed_in(cast)


def lose_policy(cast: Cast) -> None:
    """Journey 5: a right is lost."""
    with cast.steps.step("Keep in line: Anna's policy no longer allows SIP devices; the phone is signed out"):
        cast.administrator.request("PUT", "/v1/policies/SIP%20phones", {"sip_devices_for_calls": False})
        job = cast.administrator.request("POST", "/v1/sync")
        cast.steps.expect(1, job["counts"]["signed_out"], "signed out")
        cast.steps.expect(Reaction.REREGISTERED, cast.phone.await_notify(), "reaction")
        events = cast.administrator.request("GET", f"/v1/devices/{MAC}/events?limit=200")["items"]
        reasons = [event["detail"].get("reason") for event in events if event["type"] == "signed_out"]
        cast.steps.expect("user_without_policy", reasons[0], "reason on record")
        cast.steps.show(f"reason on record: {reasons[0]}")


def wait_for_offline_phone(cast: Cast) -> None:
    """Journey 6: commands tell the truth."""
    with cast.steps.step("A command to an offline phone waits, and is delivered when the phone returns"):
        cast.phone.cut_power()
        cast.administrator.await_device(MAC, lambda it: it["connection"] == "offline", "offline")
        command = cast.administrator.request("POST", f"/v1/devices/{MAC}/resync")
        cast.steps.expect("queued", command["state"], "command")
        cast.phone.power_on()
        cast.steps.expect(Reaction.REFETCHED, cast.phone.await_notify(), "reaction")
        done = cast.administrator.await_command(command["id"], "acknowledged")
        cast.steps.show(f"command {done['type']} · {done['state']} · SIP {done['sip_status']}")
    with cast.steps.step("The device's history, newest first"):
        for event in cast.administrator.request("GET", f"/v1/devices/{MAC}/events?limit=200")["items"]:
            cast.steps.show(f"{event['at'][:19]}  {event['type']}  {event['detail'] or ''}")


def remove(cast: Cast) -> None:
    """Journey 6: really removed."""
    with cast.steps.step("Remove: the device and its secrets are gone at once"):
        own = cast.phone.device_settings.provisioning_url
        cast.administrator.request("DELETE", f"/v1/devices/{MAC}")
        answer = _get(cast, f"{own.removeprefix(cast.public_url)}{MAC}.cfg", cast.phone.identity.http_user_agent)
        cast.steps.expect(404, answer.status_code, "the phone's file")
        outcome = cast.phone.dial("*55*000000")
        if outcome.status == HTTPStatus.SERVICE_UNAVAILABLE:  # the edge asks anew who this is, and knows at the next try
            outcome = cast.phone.dial("*55*000000")
        cast.steps.show(f"dialling now answers {outcome.status} {outcome.reason_phrase}")
        cast.steps.expect(HTTPStatus.FORBIDDEN, outcome.status, "answer at the edge")


def _pair_in_browser(cast: Cast, code: str) -> None:
    with UserAtComputer(pictures=cast.pictures) as user:
        user.sign_in(f"{cast.public_url}/pair", ANNA)
        cast.steps.show(f"page: {user.heading()}")
        text = user.type_code(code)
        for word in ("T46S", MAC[-4:].upper(), "Reception"):
            if word not in text:
                raise NotSeen(f"the confirm page does not show {word!r}: {text!r}")
        cast.steps.show(f"page: {user.heading()} — T46S, …{MAC[-4:].upper()}, Reception")
        user.confirm()
        cast.steps.show(f"page: {user.heading()}")


def _await_signed_in(cast: Cast) -> None:
    with cast.steps.step("Sign in: the phone fetches its new files and registers as the user"):
        cast.steps.expect(Reaction.REREGISTERED, cast.phone.await_notify(), "reaction")
        account = cast.phone.device_settings.account
        cast.steps.expect(ANNAS_NUMBER, account.user_name if account else None, "AOR in the file")
        device = cast.administrator.await_device(
            MAC, lambda it: it["state"] == "signed_in" and it["connection"] == "online", "signed in and online"
        )
        cast.steps.show(f"inventory: {device['state']} · {device['user']['display_name']} {device['user']['number']}")


def _refused(cast: Cast, outcome: CallOutcome) -> None:
    if outcome.status < HTTPStatus.BAD_REQUEST:
        raise NotSeen(f"expected a refusal, saw {outcome.status} {outcome.reason_phrase}")
    cast.steps.show(f"the phone shows: {outcome.status} {outcome.reason_phrase}")


def _code_on(text: str) -> str:
    found = CODE.search(text)
    if found is None:
        raise NotSeen(f"no pairing code on the screen: {text!r}")
    return found.group()


def _get(cast: Cast, path: str, user_agent: str) -> httpx.Response:
    with httpx.Client(verify=str(cast.trust)) as http:
        return http.get(f"{cast.public_url}{path}", headers={"User-Agent": user_agent})
