"""Fetches phone files as the device's firmware asks for them, and keeps what they set, as the phone's flash does.

It knows ETags, certificates to trust and the change of the provisioning URL; names, order and meaning are the vendor's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local.virtual_phone.device import Device, DeviceSettings
from local.virtual_phone.errors import ProvisioningError
from local.virtual_phone.http_client import HttpAnswer, HttpClient, mask_url
from local.virtual_phone.yealink import YealinkDevice

_MAXIMUM_HOPS = 4  # stage 1 → onboarding URL → …; a server that always names another URL must not keep the phone busy
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404

DeviceIdentity = YealinkDevice  # who names no vendor means the T46S


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

    def __init__(self, device: Device, http: HttpClient) -> None:
        self.device = device
        self.flash = Flash()
        self._http = http
        self._asked = 0

    @property
    def device_settings(self) -> DeviceSettings:
        return self.device.read_settings(self.flash.settings)

    def factory_reset(self) -> None:
        self.flash = Flash()
        self._http.trust(())
        self._http.user_agent = self.device.http_user_agent

    def fetch(self, url: str, *, booting: bool = False) -> DeviceSettings:
        """Fetches from `url` and, as long as the files name another provisioning URL, from there.

        Raises ProvisioningError where nothing is served, the server fails, or the URL does not come to rest, and
        PhoneFileError for a file that the device would not take. Settings change only when a whole round was read.
        """
        seen: list[str] = []
        current = self.device.resolve_url(url)
        while len(seen) < _MAXIMUM_HOPS:
            seen.append(current)
            self._fetch_round(current, booting=booting)
            settings = self.device_settings
            self._fetch_certificates(settings)
            following = self.device.resolve_url(settings.provisioning_url or current)
            if following == current:
                return settings
            current = following
        hops = " → ".join(mask_url(hop) for hop in [*seen, current])
        raise ProvisioningError(f"the provisioning URL still changes after {_MAXIMUM_HOPS} fetches: {hops}")

    def _fetch_round(self, url: str, *, booting: bool) -> None:
        self._asked = 0
        served = self.device.fetch_files(url, self._fetch, booting=booting)
        if served is None:
            raise ProvisioningError(f"{mask_url(url)} serves no file for {self.device.mac}; asked for {self._asked}, all 404")
        before, lasting = self.flash.settings, self.device.lasting_prefix
        kept = {name: value for name, value in before.items() if not served.overwrite or name.startswith(lasting)}
        candidate = {**kept, **served.settings}
        self.device.read_settings(candidate)  # an impossible setting leaves the flash as it was
        self.flash.settings = candidate
        self._http.user_agent = self.device.http_user_agent_with(candidate)

    def _fetch(self, url: str, *, user_agent: str = "") -> bytes | None:
        self._asked += 1
        answer = self._http.get(url, etag="" if user_agent else self.flash.etag_of(url), user_agent=user_agent)
        if answer.status == _NOT_FOUND:
            return None
        if answer.status not in {_OK, _NOT_MODIFIED}:
            raise ProvisioningError(f"{mask_url(url)} answered {answer.status}; expected 200, 304 or 404")
        return answer.content if user_agent else self.flash.keep_file(url, answer)

    def _fetch_certificates(self, settings: DeviceSettings) -> None:
        certificates = list(settings.certificates)
        for url in settings.certificate_urls:
            content = self._fetch(url)
            if content is None:
                raise ProvisioningError(f"the certificate to trust is not there: {mask_url(url)} answered 404")
            certificates.append(content)
        self._http.trust(tuple(certificates))
        self.flash.certificates = tuple(certificates)
