"""The virtual phone: power, keys, dialling, and obedience to check-sync, with a record of all it did and saw.

It joins provisioning, browser and SIP client, each of which knows nothing of the others; its vendor's device (device.py) says
what is asked for and what the answers mean. It runs in the caller's thread: what comes in is kept until the caller waits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Self

from local.virtual_phone.account import PhoneAccount
from local.virtual_phone.device import Device, DeviceSettings, Order
from local.virtual_phone.errors import ProvisioningError, ScreenError, SipError
from local.virtual_phone.http_client import HttpClient, SeenRequest, find_tokens, mask_url
from local.virtual_phone.provisioning import Provisioning
from local.virtual_phone.screens import Browser, Screen
from local.virtual_phone.sip_client import CallOutcome, SipClient

_SYSTEM_TRUST = Path("/etc/ssl/certs/ca-certificates.crt")  # stands for the factory's store where none is given


class Kind(StrEnum):
    """What a sighting is about."""

    POWER = "power"
    REQUEST = "request"
    SETTINGS = "settings"
    SIP = "sip"
    KEY = "key"
    SCREEN = "screen"


@dataclass(frozen=True)
class Sighting:
    """One thing that the phone did or saw."""

    at: datetime
    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S.%f}"[:-3] + f"  {self.kind:<8}  {self.text}"


class Reaction(StrEnum):
    """What a NOTIFY made the phone do."""

    NOTHING = "nothing"  # an event that it does not know, such as message-summary
    REFETCHED = "refetched"
    REREGISTERED = "reregistered"  # refetched, and the account had changed
    RESTARTED = "restarted"


class VirtualPhone:
    """One device. Close it, or use it in a `with`; sightings are passed to `on_sighting` as they happen."""

    def __init__(
        self,
        identity: Device,
        *,
        dhcp_url: str = "",
        factory_trust: Path | None = None,
        on_sighting: Callable[[Sighting], None] | None = None,
    ) -> None:
        self.identity = identity
        self.sightings: list[Sighting] = []
        self._dhcp_url = dhcp_url
        self._factory_trust = factory_trust or _SYSTEM_TRUST
        self._on_sighting = on_sighting
        self._http = HttpClient(identity.http_user_agent, factory_trust=self._factory_trust, on_request=self._saw_request)
        self._provisioning = Provisioning(identity, self._http)
        self._browser = Browser(self._http, identity.parse_screen)
        self._sip: SipClient | None = None
        self._secrets: set[str] = set()
        self._private = tempfile.TemporaryDirectory(prefix="virtual-phone-trust-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def device_settings(self) -> DeviceSettings:
        """What all files served so far make of the device."""
        return self._provisioning.device_settings

    @property
    def screen(self) -> Screen | None:
        return self._browser.screen

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every HTTPS request made, tokens masked."""
        return tuple(self._http.requests)

    @property
    def secrets_seen(self) -> frozenset[str]:
        """Every SIP password and provisioning token that was ever served to it: what no log may hold."""
        return frozenset(self._secrets)

    @property
    def sip(self) -> SipClient:
        """The running SIP client. Raises SipError while there is none."""
        if self._sip is None:
            raise SipError("the phone has no account, so it does not speak SIP")
        return self._sip

    def factory_reset(self) -> None:
        """Forgets all that was ever served; the phone is off afterwards."""
        self._stop_sip()
        self._browser.leave()
        self._provisioning.factory_reset()
        self._record(Kind.POWER, "factory reset")

    def power_on(self) -> None:
        """Boots: fetches the phone files and, with an account in them, registers. Raises what either raises."""
        self._record(Kind.POWER, f"power on: {self._http.user_agent}")
        settings = self.device_settings
        url = self._dhcp_url if settings.dhcp_decides and self._dhcp_url else settings.provisioning_url
        if not url:
            raise ProvisioningError("neither DHCP nor the phone's memory has a provisioning URL")
        self._fetch(url, booting=True)
        self._follow_account()

    def restart(self) -> None:
        """Boots anew, as after check-sync with reboot=true."""
        self._record(Kind.POWER, "restart")
        self._stop_sip()
        self._browser.leave()
        self.power_on()

    def cut_power(self) -> None:
        """Pulls the plug: the registrar is not told. `power_on` boots again with what the flash kept."""
        if self._sip is not None:
            self._sip.cut_power()
            self._sip = None
        self._browser.leave()
        self._record(Kind.POWER, "power cut")

    def refetch(self) -> Reaction:
        """Fetches from the stored provisioning URL, as the periodic check does; registers anew if the account changed."""
        before = self.device_settings.account
        self._fetch(self.device_settings.provisioning_url or self._dhcp_url)
        changed = self.device_settings.account != before
        if changed:
            self._record(Kind.SETTINGS, "the account changed")
        self._follow_account()
        return Reaction.REREGISTERED if changed else Reaction.REFETCHED

    def press(self, label: str) -> Screen | None:
        """Presses a soft key or menu item of the open screen, or on the idle screen a key with that label.

        A key that dials shows what a phone shows of a call that ended: the reason phrase. None where the key leads back to the
        idle screen. Raises ScreenError that lists the keys that are there.
        """
        self._record(Kind.KEY, f"[{label}]")
        screen = self._browser.press(label) if self._browser.screen is not None else self._press_idle_key(label)
        self._record(Kind.SCREEN, _describe_screen(screen))
        return screen

    def dial(self, number: str, *, timeout_seconds: float = 30) -> CallOutcome:
        """Dials and waits for the final answer; an answered call stays up until `hang_up`, an announcement until its end."""
        self._record(Kind.KEY, f"dials {number}")
        outcome = self.sip.dial(number, timeout_seconds=timeout_seconds)
        reason = f"; Reason: {outcome.reason_header}" if outcome.reason_header else ""
        self._record(Kind.SIP, f"INVITE {number} answered {outcome.status} {outcome.reason_phrase}{reason}")
        if number.startswith("*") and outcome.status == HTTPStatus.OK:
            self.sip.wait_for_hang_up(timeout_seconds=timeout_seconds)
            self._record(Kind.SIP, "the announcement is over; BYE came")
        return outcome

    def take_call(self, *, timeout_seconds: float = 30) -> str:
        """Waits for a call and answers it; returns the caller's From header."""
        caller = self.sip.wait_for_call(timeout_seconds=timeout_seconds).header("From")
        self.sip.answer(timeout_seconds=timeout_seconds)
        self._record(Kind.SIP, f"took a call from {caller}")
        return caller

    def hang_up(self) -> None:
        self.sip.hang_up()
        self._record(Kind.SIP, "hung up; BYE was confirmed")

    def await_notify(self, *, timeout_seconds: float = 100) -> Reaction:
        """Waits for the next NOTIFY that its vendor obeys and that was not taken yet, and does what it says."""
        notify = self.sip.wait_for_notify(*self.identity.notify_events, timeout_seconds=timeout_seconds)
        self._record(Kind.SIP, f"NOTIFY {notify.event} answered {notify.response_status}")
        order = self.identity.obey(notify.event, self.device_settings.restart_rule)
        if order is Order.RESTART:
            self.restart()
            return Reaction.RESTARTED
        return self.refetch() if order is Order.REFETCH else Reaction.NOTHING

    def close(self) -> None:
        """Ends everything; no process and no file is left."""
        self._stop_sip()
        self._http.close()
        self._private.cleanup()

    def _press_idle_key(self, label: str) -> Screen | None:
        settings = self.device_settings
        pages = {key.label: key.url for key in settings.screen_keys}
        numbers = {key.label: key.number for key in settings.dial_keys}
        if label in pages:
            return self._browser.open(pages[label])
        if label in numbers:
            return Screen("Call", "", numbers[label], (self.dial(numbers[label]).reason_phrase,))
        raise ScreenError(f"the idle screen has no key {label!r}, only {sorted(pages | numbers)}")

    def _fetch(self, url: str, *, booting: bool = False) -> None:
        settings = self._provisioning.fetch(url, booting=booting)
        self._secrets |= find_tokens(settings.provisioning_url)
        if settings.account:
            self._secrets.add(settings.account.password)
        labels = [key.label for key in settings.screen_keys] + [key.label for key in settings.dial_keys]
        keys = ", ".join(labels) or "none"
        account = settings.account
        user = f"{account.label or account.user_name} at {account.server.uri}" if account else "none"
        self._record(
            Kind.SETTINGS,
            f"account: {user}; language: {settings.language}; keys: {keys}; URL: {mask_url(settings.provisioning_url)}",
        )

    def _follow_account(self) -> None:
        """Makes the SIP client the account's: keeps it, replaces it, or ends it."""
        account = self.device_settings.account
        if self._sip is not None and self._sip.account == account:
            return
        self._stop_sip()
        if account is not None:
            self._start_sip(account)

    def _start_sip(self, account: PhoneAccount) -> None:
        self._sip = SipClient(account, user_agent=self.identity.sip_user_agent, trust_anchor=self._write_trust_anchor())
        self._sip.start()
        try:
            answer = self._sip.registered()
        except SipError as error:
            self._record(Kind.SIP, f"not registered: {error}")
            self._stop_sip()
            raise
        self._record(
            Kind.SIP, f"REGISTER {account.aor} answered {answer.status} {answer.reason_phrase} over {answer.transport}"
        )

    def _stop_sip(self) -> None:
        if self._sip is not None:
            self._sip.stop()
            self._sip = None
            self._record(Kind.SIP, "SIP client stopped and unregistered")

    def _write_trust_anchor(self) -> Path:
        """Served certificates where there are any, else the factory's: what the SIP server must be signed by."""
        served = self._provisioning.flash.certificates
        if not served:
            return self._factory_trust
        path = Path(self._private.name) / "served.pem"
        path.write_bytes(b"\n".join(served))
        return path

    def _saw_request(self, request: SeenRequest) -> None:
        etag = f", ETag {request.etag}" if request.etag else ""
        self._record(Kind.REQUEST, f"{request.method} {request.url} → {request.status}, {request.size} bytes{etag}")

    def _record(self, kind: Kind, text: str) -> None:
        sighting = Sighting(datetime.now(UTC), kind, text)
        self.sightings.append(sighting)
        if self._on_sighting is not None:
            self._on_sighting(sighting)


def _describe_screen(screen: Screen | None) -> str:
    if screen is None:
        return "idle"
    keys = " ".join(f"[{key.label}]" for key in screen.soft_keys)
    return " | ".join(part for part in (screen.title, *screen.lines, *(item.prompt for item in screen.items), keys) if part)
