"""Fetching, against a server in memory that answers as HTTPS would."""

from __future__ import annotations

import pytest

from local.virtual_phone.errors import PhoneFileError, ProvisioningError
from local.virtual_phone.http_client import HttpAnswer, HttpClient, mask_url
from local.virtual_phone.provisioning import DeviceIdentity, Provisioning

MAC = "805ec0123456"
BASE = "https://gateway/"


class MemoryHttp(HttpClient):
    """Answers from `files`; an ETag is the content itself."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__("test")
        self.files = files
        self.asked: list[str] = []

    def get(self, url: str, *, etag: str = "", user_agent: str = "") -> HttpAnswer:
        text = self.files.get(url)
        status = 404 if text is None else 503 if text == "down" else 304 if text == etag else 200
        self.asked.append(f"{url} {status} {user_agent}".strip())
        return HttpAnswer(status, url, (text or "").encode() if status == 200 else b"", "text/plain", text or "")


def device(files: dict[str, list[str]]) -> tuple[Provisioning, MemoryHttp]:
    http = MemoryHttp({BASE + name: "\n".join(["#!version:1.0.0.1", *lines]) for name, lines in files.items()})
    return Provisioning(DeviceIdentity(MAC), http), http


def test_without_boot_files_the_models_and_the_devices_own_file_are_asked() -> None:
    provisioning, http = device({f"{MAC}.cfg": ["lang.gui = German"]})

    expected = "German"
    assert expected == provisioning.fetch(BASE).language
    names = [f"{MAC}.boot", "y000000000000.boot", "y000000000066.cfg", f"{MAC}.cfg"]
    expected_requests = [f"{BASE}{name} {status}" for name, status in zip(names, (404, 404, 404, 200), strict=True)]
    assert expected_requests == http.asked
    http.close()


def test_a_boot_file_decides_what_is_asked() -> None:
    boot = ["[T54W]include:config <no.cfg>", '[T46S]include:config "sub/t4.cfg"', "include:config <$MAC.cfg>"]
    provisioning, http = device({f"{MAC}.boot": boot, "sub/t4.cfg": ["lang.gui = German"]})
    provisioning.fetch(BASE)

    expected = [f"{BASE}{MAC}.boot 200", f"{BASE}sub/t4.cfg 200", f"{BASE}{MAC}.cfg 404"]
    assert expected == http.asked
    http.close()


def test_what_is_not_served_again_stays_unless_a_boot_file_overwrites() -> None:
    provisioning, http = device({f"{MAC}.cfg": ["lang.gui = German", "static.auto_provision.pnp_enable = 0"]})
    provisioning.fetch(BASE)
    http.files[f"{BASE}{MAC}.cfg"] = "#!version:1.0.0.1\nlocal_time.time_zone = +1\n"
    provisioning.fetch(BASE)
    kept = provisioning.device_settings.language
    http.files[f"{BASE}{MAC}.boot"] = "#!version:1.0.0.1\ninclude:config <$MAC.cfg>\noverwrite_mode = 1\n"
    provisioning.fetch(BASE)

    expected = ("German", "English", ("0",))
    static = provisioning.flash.settings["static.auto_provision.pnp_enable"]
    assert expected == (kept, provisioning.device_settings.language, static)
    http.close()


def test_an_unmodified_file_still_counts() -> None:
    provisioning, http = device({f"{MAC}.cfg": ["lang.gui = German"]})
    provisioning.fetch(BASE)
    provisioning.fetch(BASE)

    expected = f"{BASE}{MAC}.cfg 304"
    assert expected == http.asked[-1]
    http.close()


def test_a_new_provisioning_url_is_followed() -> None:
    line = "auto_provision.server.url = https://gateway/d/token"
    provisioning, http = device({f"{MAC}.cfg": [line], f"d/token/{MAC}.cfg": ["lang.gui = German"]})

    expected = "German"
    assert expected == provisioning.fetch(BASE).language
    http.close()


def test_a_url_that_never_comes_to_rest_is_an_error() -> None:
    files = {f"{place}{MAC}.cfg": [f"auto_provision.server.url = {BASE}{following}"] for place, following in
             [("", "a/"), ("a/", "b/"), ("b/", "a/")]}  # fmt: skip
    provisioning, http = device(files)
    with pytest.raises(ProvisioningError, match="still changes after 4 fetches"):
        provisioning.fetch(BASE)
    http.close()


def test_a_device_that_gets_nothing_says_so() -> None:
    provisioning, http = device({})
    with pytest.raises(ProvisioningError, match=f"serves no file for {MAC}"):
        provisioning.fetch(BASE)
    http.close()


def test_a_failing_server_is_not_taken_for_a_missing_file() -> None:
    provisioning, http = device({})
    http.files[f"{BASE}{MAC}.boot"] = "down"
    with pytest.raises(ProvisioningError, match="answered 503; expected 200, 304 or 404"):
        provisioning.fetch(BASE)
    http.close()


def test_a_bad_file_leaves_the_settings_as_they_were() -> None:
    provisioning, http = device({f"{MAC}.cfg": ["lang.gui = German"]})
    provisioning.fetch(BASE)
    http.files[f"{BASE}{MAC}.cfg"] = "#!version:1.0.0.1\nlang.gui = French\naccount.1.enable = maybe\n"
    with pytest.raises(PhoneFileError, match=r"account.1.enable"):
        provisioning.fetch(BASE)

    expected = "German"
    assert expected == provisioning.device_settings.language
    http.close()


def test_a_factory_reset_forgets_everything() -> None:
    provisioning, http = device({f"{MAC}.cfg": ["lang.gui = German"]})
    provisioning.fetch(BASE)
    provisioning.factory_reset()

    expected = ({}, "")
    assert expected == (provisioning.flash.settings, provisioning.flash.etag_of(f"{BASE}{MAC}.cfg"))
    http.close()


def test_the_user_agents_are_those_of_a_t46s() -> None:
    identity = DeviceIdentity(MAC)

    expected = ("Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56", "Yealink SIP-T46S 66.86.0.15")
    assert expected == (identity.http_user_agent, identity.sip_user_agent)


@pytest.mark.parametrize("mac", ["80:5e:c0:12:34:56", "805EC0123456", "805ec012345"])
def test_a_mac_is_twelve_lower_case_hex_digits(mac: str) -> None:
    with pytest.raises(ValueError, match="12 lower-case hex digits"):
        DeviceIdentity(mac)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/d/short/lang_en/f.cfg", "https://h/d/***/lang_en/f.cfg"),
        ("https://h/mmiiaacc/pX3kq9Zr7Lw2Vb8Nt4Hc6Jd1/f.cfg", "https://h/mmiiaacc/***/f.cfg"),
        ("https://u:p@h:8443/f.cfg?code=1", "https://h:8443/f.cfg?***"),
        ("https://h/805ec0123456.cfg", "https://h/805ec0123456.cfg"),
    ],
)
def test_tokens_are_masked(url: str, expected: str) -> None:
    assert expected == mask_url(url)
