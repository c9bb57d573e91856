"""The gateway's files as a vendor's device meets them: rendered samples, and a server that notes what is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.preview import preview

BASE = "https://gateway/"
OWN = [PhoneState.ONBOARDING, PhoneState.ENROLLED, PhoneState.SIGNED_IN]


def rendered(vendor: str, model: str, state: PhoneState, language: Language = Language.EN) -> dict[str, bytes]:
    """The files by name, in the order of vendor.toml."""
    return {file.name: file.body.encode() for file in preview(vendor, model, state, language)}


@dataclass
class Files:
    """Answers a device's fetches; a name that it has not is a 404."""

    by_url: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str, *, user_agent: str = "") -> bytes | None:
        self.asked.append(f"{url} {user_agent}".strip())
        return self.by_url.get(url)
