"""The life of a phone, journey by journey: each function is a step or a few that belong together, whatever the vendor."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx

from local.demo.cast import Cast, Desk
from local.demo.steps import NotSeen
from local.virtual_phone.phone import Reaction
from local.virtual_phone.sip_client import CallOutcome

CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")
PAIRING_PAGE = "/pair"
WAIT_SECONDS = 30
POLL_SECONDS = 0.25


def live(cast: Cast, desk: Desk) -> None:
    """The whole life of one phone. Raises at the first step that was not seen."""
    add(cast, desk)
    meet_plain_404(cast, desk)
    onboard(cast, desk)
    try_to_call(cast, desk)
    fail_to_enroll(cast, desk)
    enroll(cast, desk)
    enroll_again(cast, desk)
    sign_in(cast, desk)
    survive_stranger(cast, desk)
    sync_nothing(cast, desk)
    change_policy(cast, [desk], "Anna Berg-Ø & Söhne")
    restart(cast, desk)
    sign_out(cast, desk)
    sign_in_remotely(cast, desk)
    lose_policy(cast, desk)
    wait_for_offline_phone(cast, desk)
    show_history(cast, desk)
    remove(cast, desk)


def live_together(cast: Cast, desks: Sequence[Desk]) -> None:
    """The shorter life of several phones at the same time, some of them of one user. Raises as `live` does."""
    for desk in desks:
        add(cast, desk)
        onboard(cast, desk)
        enroll(cast, desk)
        sign_in(cast, desk)
    call_each_other(cast, desks)
    for user in dict.fromkeys(desk.user for desk in desks):
        change_policy(cast, [desk for desk in desks if desk.user == user], f"{user.first_name} Øst & Söhne")
    neighbours = {desk: [other for other in desks if other.user == desk.user and other != desk] for desk in desks}
    for desk in desks:
        restart(cast, desk, neighbours[desk])
    for place, desk in enumerate(desks):
        sign_out(cast, desk, [other for other in neighbours[desk] if other in desks[place + 1 :]])
        remove(cast, desk)


def call_each_other(cast: Cast, desks: Sequence[Desk]) -> None:
    """Journey 4: one user calls another, whose phones all ring; one answers, and the caller hangs up."""
    caller = desks[-1]
    others = [desk for desk in desks if desk.user != caller.user]
    if not others:
        return  # the phone of one vendor alone
    callee = others[0]
    with (
        cast.steps.step(f"{caller}: {caller.user.first_name} calls {callee.user.first_name}, who answers at the {callee}"),
        ThreadPoolExecutor(1) as hand,
    ):
        answering = hand.submit(callee.phone.take_call)
        outcome = caller.phone.dial(callee.user.number)
        cast.steps.expect(HTTPStatus.OK, outcome.status, "answer to the call")
        caller_shown = answering.result()
        cast.steps.expect(True, caller.user.number in caller_shown, "the caller's number on the callee's phone")  # noqa: FBT003 - the expected value
        caller.phone.hang_up()
        callee.phone.sip.wait_for_hang_up()
        cast.steps.show(f"the callee's phone showed {caller_shown}")


def add(cast: Cast, desk: Desk) -> None:
    """Journey 2, the administrator's part."""
    with cast.steps.step(f"{desk}: the administrator adds the device"):
        spelled = ":".join(re.findall("..", desk.mac.upper()))
        device = cast.administrator.request("POST", "/v1/devices", {"mac": spelled, "location": desk.role.location})
        cast.steps.expect("added", device["state"], "state")
        cast.steps.show(f"{device['mac']} · {device['state']} · {device['connection']} · {device['location']}")


def meet_plain_404(cast: Cast, desk: Desk) -> None:
    """What a stranger sees."""
    with cast.steps.step(f"{desk}: a stranger without a known phone gets the plain 404"):
        answer = _get(cast, f"{cast.public_url}/{desk.mac}.cfg", "curl/8.0")
        cast.steps.expect(404, answer.status_code, "status")
        cast.steps.show(f"404 {answer.text.strip()!r}")


def onboard(cast: Cast, desk: Desk) -> None:
    """Journey 1."""
    with cast.steps.step(f"{desk}: Onboard: the factory-fresh phone fetches its files and registers over TLS"):
        desk.phone.factory_reset()
        desk.phone.power_on()
        device = cast.administrator.await_device(desk.mac, lambda it: it["state"] == "onboarded", "state onboarded")
        cast.steps.expect("online", device["connection"], "connection")
        seen = (desk.role.device.model, desk.role.device.firmware)
        cast.steps.expect(seen, (device["model"], device["firmware"]), "model and firmware in the inventory")
        cast.steps.show(f"inventory: {device['model']} {device['firmware']} · {device['state']} · {device['connection']}")
    with cast.steps.step(f"{desk}: fetched again, the files are unchanged (304)"):
        before = len(desk.phone.requests)
        cast.steps.expect(Reaction.REFETCHED, desk.phone.refetch(), "reaction")
        statuses = {request.status for request in desk.phone.requests[before:]}
        cast.steps.expect({HTTPStatus.NOT_MODIFIED}, statuses - {HTTPStatus.NOT_FOUND}, "status of every file")


def try_to_call(cast: Cast, desk: Desk) -> None:
    """Journey 1: what the temporary account may not do."""
    with cast.steps.step(f"{desk}: the onboarding account may dial feature codes only"):
        _refused(cast, desk.phone.dial("+4989000000"))


def fail_to_enroll(cast: Cast, desk: Desk) -> None:
    """Journey 2, with a slip of the finger."""
    with cast.steps.step(f"{desk}: Enroll: a wrong one-time password is refused with its reason"):
        issued = _issue_otp(cast, desk)
        _refused(cast, desk.phone.dial(f"*55*{(int(issued) + 1) % 1000000:06}"))


def enroll(cast: Cast, desk: Desk) -> None:
    """Journey 2."""
    with cast.steps.step(f"{desk}: Enroll: the technician dials *55* and the right one-time password"):
        outcome = desk.phone.dial(f"*55*{_issue_otp(cast, desk)}")
        cast.steps.expect("Phone enrolled", outcome.reason_phrase, "reason on the phone")
        desk.phone.await_notify()
        device = cast.administrator.await_device(desk.mac, lambda it: it["state"] == "enrolled", "state enrolled")
        cast.steps.show(f"inventory: {device['state']} since {device['enrolled_at']}")


def enroll_again(cast: Cast, desk: Desk) -> None:
    """Journey 2, twice."""
    with cast.steps.step(f"{desk}: the same one-time password a second time is refused"):
        dialled = next(seen.text for seen in reversed(desk.phone.sightings) if seen.text.startswith("dials *55*"))
        _refused(cast, desk.phone.dial(dialled.removeprefix("dials ")))


def sign_in(cast: Cast, desk: Desk) -> None:
    """Journey 3, at the phone: its screen shows the code, or, without a browser, the reason why its call ended."""
    with cast.steps.step(f"{desk}: Sign in: the phone shows the authorization URL and a pairing code"):
        shown = desk.phone.press("Sign in")
        code = _code_on(shown.text if shown else "")
        if desk.phone.screen is not None:
            refreshed = desk.phone.press("Refresh")
            cast.steps.expect(code, _code_on(refreshed.text if refreshed else ""), "code after Refresh")
        cast.steps.show(f"pairing code {code}")
    with cast.steps.step(f"{desk}: Sign in: {desk.user.first_name} signs in on the web pages and confirms the phone"):
        _pair_in_browser(cast, desk, code)
    _await_signed_in(cast, desk)


def survive_stranger(cast: Cast, desk: Desk) -> None:
    """A MAC alone gives nothing away and disturbs nobody."""
    with cast.steps.step(f"{desk}: a stranger fetches stage 1 with the signed-in phone's MAC: no secret, nothing broken"):
        answer = _get(cast, f"{cast.public_url}/{desk.mac}.cfg", desk.phone.identity.http_user_agent)
        own = desk.phone.device_settings.provisioning_url
        for secret in ("password", "auth_name", desk.user.number, own):
            if secret in answer.text:
                raise NotSeen(f"the stranger's file holds {secret!r}")
        cast.steps.show(f"{answer.status_code}: {answer.text.splitlines()}")
        cast.steps.expect(Reaction.REFETCHED, desk.phone.refetch(), "the real phone's fetch")
        cast.steps.expect("signed_in", cast.administrator.device(desk.mac)["state"], "state")


def sync_nothing(cast: Cast, desk: Desk) -> None:
    """Journey 5."""
    with cast.steps.step(f"{desk}: Keep in line: a sync with nothing changed sends nothing"):
        job = cast.administrator.sync()
        cast.steps.expect(0, job["counts"]["changed"], "changed")
        cast.steps.show(job["counts"])


def change_policy(cast: Cast, desks: Sequence[Desk], name: str) -> None:
    """Journey 5, on all phones of one user."""
    user, phones = desks[0].user, " and ".join(map(str, desks))
    with cast.steps.step(f"{phones}: Keep in line: {user.first_name}'s new name arrives by check-sync"):
        cast.administrator.request("PUT", f"/v1/users/{user.upn}", {"display_name": name})
        job = cast.administrator.sync()
        cast.steps.expect(len(desks), job["counts"]["changed"], "changed")
        for desk in desks:
            cast.steps.expect(Reaction.REREGISTERED, desk.phone.await_notify(), f"reaction of {desk}")
            account = desk.phone.device_settings.account
            cast.steps.expect(name, account.display_name if account else None, f"name on {desk}")


def restart(cast: Cast, desk: Desk, neighbours: Sequence[Desk] = ()) -> None:
    """Journey 6. The neighbours are of the same user, so registered under the same AOR, and must not be concerned."""
    beside = f"; {' and '.join(map(str, neighbours))} of the same user is left alone" if neighbours else ""
    with cast.steps.step(f"{desk}: Manage: restart, acknowledged by the phone, and online{beside}"):
        command = cast.administrator.request("POST", f"/v1/devices/{desk.mac}/restart")
        cast.steps.show(f"command {command['type']} · {command['state']}")
        cast.steps.expect(desk.role.on_restart, desk.phone.await_notify(), "reaction")
        if desk.role.on_restart is not Reaction.RESTARTED:
            cast.steps.show("no document says that this phone restarts on it; it fetched its files anew")
        done = cast.administrator.await_command(command["id"], "acknowledged")
        cast.steps.show(f"command {done['type']} · {done['state']} · SIP {done['sip_status']}")
        cast.administrator.await_device(desk.mac, lambda it: it["connection"] == "online", "online")
        for neighbour in neighbours:
            _left_alone(cast, neighbour)


def sign_out(cast: Cast, desk: Desk, neighbours: Sequence[Desk] = ()) -> None:
    """Journey 3, the way back: with a confirmation on the screen, or by the key that dials."""
    with cast.steps.step(f"{desk}: Sign out at the phone"):
        desk.phone.press("Sign out")
        if desk.phone.screen is not None:
            desk.phone.press("Sign out")
            desk.phone.press("Exit")
        cast.steps.expect(Reaction.REREGISTERED, desk.phone.await_notify(), "reaction")
        device = cast.administrator.await_device(desk.mac, lambda it: it["state"] == "enrolled", "state enrolled")
        cast.steps.expect(None, device["user"], "user")
        for neighbour in neighbours:
            _left_alone(cast, neighbour)


def sign_in_remotely(cast: Cast, desk: Desk) -> None:
    """Journey 3, remote."""
    with cast.steps.step(f"{desk}: Remote sign-in: the administrator starts the pairing and hands URL and code on"):
        offer = cast.administrator.request("POST", f"/v1/devices/{desk.mac}/sign-in", {})
        cast.steps.show(f"{offer['authorization_url']} · {offer['pairing_code']} · until {offer['expires_at']}")
        _pair_in_browser(cast, desk, offer["pairing_code"])
    _await_signed_in(cast, desk)


def lose_policy(cast: Cast, desk: Desk) -> None:
    """Journey 5: a right is lost, and given back for whoever comes next."""
    policy = "/v1/policies/SIP%20phones"
    with cast.steps.step(f"{desk}: Keep in line: the policy no longer allows SIP devices; the phone is signed out"):
        cast.administrator.request("PUT", policy, {"sip_devices_for_calls": False})
        job = cast.administrator.sync()
        cast.steps.expect(1, job["counts"]["signed_out"], "signed out")
        cast.steps.expect(Reaction.REREGISTERED, desk.phone.await_notify(), "reaction")
        reasons = [event["detail"].get("reason") for event in _history(cast, desk) if event["type"] == "signed_out"]
        cast.steps.expect("user_without_policy", reasons[0], "reason on record")
        cast.steps.show(f"reason on record: {reasons[0]}")
        cast.administrator.request("PUT", policy, {"sip_devices_for_calls": True})


def wait_for_offline_phone(cast: Cast, desk: Desk) -> None:
    """Journey 6: commands tell the truth."""
    with cast.steps.step(f"{desk}: a command to an offline phone waits, and is delivered when the phone returns"):
        desk.phone.cut_power()
        cast.administrator.await_device(desk.mac, lambda it: it["connection"] == "offline", "offline")
        command = cast.administrator.request("POST", f"/v1/devices/{desk.mac}/resync")
        cast.steps.expect("queued", command["state"], "command")
        desk.phone.power_on()
        cast.steps.expect(Reaction.REFETCHED, desk.phone.await_notify(), "reaction")
        done = cast.administrator.await_command(command["id"], "acknowledged")
        cast.steps.show(f"command {done['type']} · {done['state']} · SIP {done['sip_status']}")


def show_history(cast: Cast, desk: Desk) -> None:
    """Journey 6: what happened is on record."""
    with cast.steps.step(f"{desk}: the device's history, newest first"):
        for event in _history(cast, desk):
            cast.steps.show(f"{event['at'][:19]}  {event['type']}  {event['detail'] or ''}")


def remove(cast: Cast, desk: Desk) -> None:
    """Journey 6: really removed."""
    with cast.steps.step(f"{desk}: Remove: the device and its secrets are gone at once"):
        own = desk.role.device.account_url(desk.phone.device_settings.provisioning_url)
        cast.steps.expect(200, _get(cast, own, desk.phone.identity.http_user_agent).status_code, "the phone's file before")
        cast.administrator.request("DELETE", f"/v1/devices/{desk.mac}")
        cast.steps.expect(404, _get(cast, own, desk.phone.identity.http_user_agent).status_code, "the phone's file")
        outcome = dial_until_decided(desk.phone.dial, "*55*000000")
        cast.steps.show(f"dialling now answers {outcome.status} {outcome.reason_phrase}")
        cast.steps.expect(HTTPStatus.FORBIDDEN, outcome.status, "answer at the edge")


def dial_until_decided(dial: Callable[[str], CallOutcome], number: str, wait_seconds: float = WAIT_SECONDS) -> CallOutcome:
    """The first answer that is no 503, or the last one: the edge says "not now" while it asks anew who this is."""
    deadline = time.monotonic() + wait_seconds
    while (outcome := dial(number)).status == HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return outcome


def _pair_in_browser(cast: Cast, desk: Desk, code: str) -> None:
    user = cast.computer.seat(desk.role.vendor.lower())
    user.sign_in(f"{cast.public_url}{PAIRING_PAGE}", desk.user.upn)
    cast.steps.show(f"page: {user.heading()}")
    text = user.type_code(code)
    words = (desk.role.device.model, desk.mac[-4:].upper(), desk.role.location)
    for word in words:
        if word not in text:
            raise NotSeen(f"the confirm page does not show {word!r}: {text!r}")
    cast.steps.show(f"page: {user.heading()} — {words[0]}, …{words[1]}, {words[2]}")
    user.confirm()
    cast.steps.show(f"page: {user.heading()}")


def _await_signed_in(cast: Cast, desk: Desk) -> None:
    with cast.steps.step(f"{desk}: Sign in: the phone fetches its new files and registers as {desk.user.first_name}"):
        cast.steps.expect(Reaction.REREGISTERED, desk.phone.await_notify(), "reaction")
        account = desk.phone.device_settings.account
        cast.steps.expect(desk.user.number, account.user_name if account else None, "AOR in the file")
        device = cast.administrator.await_device(
            desk.mac, lambda it: it["state"] == "signed_in" and it["connection"] == "online", "signed in and online"
        )
        cast.steps.show(f"inventory: {device['state']} · {device['user']['display_name']} {device['user']['number']}")
        if desk.phone.screen is not None:
            done = desk.phone.press("Refresh")
            if done is None or desk.user.number not in done.text:
                raise NotSeen(f"the open screen does not say who is signed in: {done}")
            desk.phone.press("Exit")


def _left_alone(cast: Cast, neighbour: Desk) -> None:
    """A command for another phone of the same AOR did not reach this one."""
    aor = neighbour.phone.sip.account.aor
    if neighbour.user.number not in aor:
        raise NotSeen(f"{neighbour} is registered as {aor}")
    cast.steps.expect(0, neighbour.phone.sip.notifies_waiting, f"NOTIFYs at {neighbour}")
    device = cast.administrator.device(neighbour.mac)
    cast.steps.expect(("signed_in", "online"), (device["state"], device["connection"]), f"state of {neighbour}")
    cast.steps.show(f"{neighbour}, also registered as {aor}, saw no NOTIFY; {device['state']} · {device['connection']}")


def _issue_otp(cast: Cast, desk: Desk) -> str:
    return str(cast.administrator.request("POST", f"/v1/devices/{desk.mac}/otp")["otp"])


def _history(cast: Cast, desk: Desk) -> list[dict[str, Any]]:
    return list(cast.administrator.request("GET", f"/v1/devices/{desk.mac}/events?limit=200")["items"])


def _refused(cast: Cast, outcome: CallOutcome) -> None:
    if outcome.status < HTTPStatus.BAD_REQUEST:
        raise NotSeen(f"expected a refusal, saw {outcome.status} {outcome.reason_phrase}")
    cast.steps.show(f"the phone shows: {outcome.status} {outcome.reason_phrase}")


def _code_on(text: str) -> str:
    found = CODE.search(text)
    if found is None or PAIRING_PAGE not in text:
        raise NotSeen(f"no authorization URL and pairing code on the phone: {text!r}")
    return found.group()


def _get(cast: Cast, url: str, user_agent: str) -> httpx.Response:
    with httpx.Client(verify=str(cast.trust)) as http:
        return http.get(url, headers={"User-Agent": user_agent})
