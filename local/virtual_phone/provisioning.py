"""Fetches phone files in the order of a Yealink T46S and keeps what they set, as the phone's flash does.

It knows names and order of files, boot files, ETags, certificates to trust and the change of the provisioning URL; what the
settings mean is in yealink.py. Order and User-Agent: research/vendors.md 1.1 and 1.2, from real requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urljoin

from local.virtual_phone.errors import PhoneFileError, ProvisioningError
from local.virtual_phone.http_client import HttpAnswer, HttpClient, mask_url
from local.virtual_phone.yealink import (
    BootFile,
    DeviceSettings,
    PhoneFile,
    parse_boot_file,
    parse_phone_file,
    read_device_settings,
)

T = TypeVar("T")

_MAC = re.compile(r"[0-9a-f]{12}")
_COMMON_BOOT = "y000000000000.boot"
_MAXIMUM_HOPS = 4  # stage 1 → onboarding URL → …; a server that always names another URL must not keep the phone busy
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404


@dataclass(frozen=True)
class DeviceIdentity:
    """Which device this is: `mac` as 12 lower-case hex digits, `common_file` the model's own file name."""

    mac: str
    model: str = "T46S"
    firmware: str = "66.86.0.15"
    common_file: str = "y000000000066.cfg"

    def __post_init__(self) -> None:
        if not _MAC.fullmatch(self.mac):
            raise ValueError(f"the MAC {self.mac!r} must be 12 lower-case hex digits")

    @property
    def http_user_agent(self) -> str:
        pairs = (self.mac[index : index + 2] for index in range(0, 12, 2))
        return f"{self.sip_user_agent} {':'.join(pairs)}"

    @property
    def sip_user_agent(self) -> str:
        return f"Yealink SIP-{self.model} {self.firmware}"


@dataclass(frozen=True)
class _CachedFile:
    etag: str
    content: bytes


@dataclass
class Flash:
    """What survives a power cycle and only a factory reset empties: settings, ETags, certificates."""

    settings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    certificates: tuple[bytes, ...] = ()
    _files: dict[str, _CachedFile] = field(default_factory=dict)

    def etag_of(self, url: str) -> str:
        return self._files[url].etag if url in self._files else ""

    def keep_file(self, url: str, answer: HttpAnswer) -> bytes:
        """The file's content, now or, where nothing was modified, as it was kept."""
        if answer.status == _NOT_MODIFIED:
            if url not in self._files:
                raise ProvisioningError(f"{mask_url(url)} answered 304, but no ETag was sent")
            return self._files[url].content
        self._files[url] = _CachedFile(answer.etag, answer.content)
        return answer.content


class Provisioning:
    """One device's provisioning. `flash` may be replaced by a new one: that is the factory reset."""

    def __init__(self, identity: DeviceIdentity, http: HttpClient) -> None:
        self.identity = identity
        self.flash = Flash()
        self._http = http

    @property
    def device_settings(self) -> DeviceSettings:
        return read_device_settings(self.flash.settings)

    def factory_reset(self) -> None:
        self.flash = Flash()
        self._http.trust(())

    def fetch(self, url: str) -> DeviceSettings:
        """Fetches from `url` and, as long as the files name another provisioning URL, from there.

        Raises ProvisioningError where nothing is served, the server fails, or the URL does not come to rest, and
        PhoneFileError for a file that the device would not take. Settings change only when a whole round was read.
        """
        seen: list[str] = []
        current = _as_folder(url)
        while len(seen) < _MAXIMUM_HOPS:
            seen.append(current)
            self._fetch_round(current)
            settings = self.device_settings
            self._fetch_certificates(settings.certificate_urls)
            following = _as_folder(settings.provisioning_url or current)
            if following == current:
                return settings
            current = following
        hops = " → ".join(mask_url(hop) for hop in [*seen, current])
        raise ProvisioningError(f"the provisioning URL still changes after {_MAXIMUM_HOPS} fetches: {hops}")

    def _fetch_round(self, base: str) -> None:
        boot_url, boot = self._find_boot_file(base)
        if boot is None:
            urls = [urljoin(base, name) for name in (self.identity.common_file, f"{self.identity.mac}.cfg")]
        else:
            locations = boot.locations_for(model=self.identity.model, mac=self.identity.mac)
            urls = [urljoin(boot_url, location) for location in locations]
        files = [file for file in (self._find_phone_file(url) for url in urls) if file is not None]
        if not files:
            raise ProvisioningError(f"{mask_url(base)} serves no file for {self.identity.mac}; asked for {len(urls)}, all 404")
        self._apply(files, overwrite=boot is not None and boot.overwrite)

    def _apply(self, files: list[PhoneFile], *, overwrite: bool) -> None:
        served: dict[str, tuple[str, ...]] = {}
        for file in files:
            served.update(file.settings)
        # Overwrite mode: what is not served any more returns to the factory's value, except `static.` settings.
        kept = {name: value for name, value in self.flash.settings.items() if not overwrite or name.startswith("static.")}
        candidate = {**kept, **served}
        read_device_settings(candidate)  # an impossible setting leaves the flash as it was
        self.flash.settings = candidate

    def _find_boot_file(self, base: str) -> tuple[str, BootFile | None]:
        for name in (f"{self.identity.mac}.boot", _COMMON_BOOT):
            url = urljoin(base, name)
            content = self._fetch(url)
            if content is not None:
                return url, _parsed(url, content, parse_boot_file)
        return base, None

    def _find_phone_file(self, url: str) -> PhoneFile | None:
        content = self._fetch(url)
        return None if content is None else _parsed(url, content, parse_phone_file)

    def _fetch(self, url: str) -> bytes | None:
        answer = self._http.get(url, etag=self.flash.etag_of(url))
        if answer.status == _NOT_FOUND:
            return None
        if answer.status not in {_OK, _NOT_MODIFIED}:
            raise ProvisioningError(f"{mask_url(url)} answered {answer.status}; expected 200, 304 or 404")
        return self.flash.keep_file(url, answer)

    def _fetch_certificates(self, urls: tuple[str, ...]) -> None:
        certificates = []
        for url in urls:
            content = self._fetch(url)
            if content is None:
                raise ProvisioningError(f"the certificate to trust is not there: {mask_url(url)} answered 404")
            certificates.append(content)
        self._http.trust(tuple(certificates))
        self.flash.certificates = tuple(certificates)


def _parsed(url: str, content: bytes, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(content)
    except PhoneFileError as error:
        raise PhoneFileError(f"{mask_url(url)}: {error}") from None


def _as_folder(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"
