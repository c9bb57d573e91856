"""Stage 1 for a phone whose firmware is too old: a file that has it fetch the approved one from the region's mirror.

It sets nothing else and holds no token: the phone asks stage 1 again with its new firmware. The mirror is a web server of the
operator's own; docs/firmware-mirror.md says which file lies where.
"""

from __future__ import annotations

from chalicelib.contracts.frozen import dataclass
from chalicelib.vendors.catalogue import Model, Vendor
from chalicelib.vendors.files import PhoneFile
from chalicelib.vendors.rendering import choose_template, render


@dataclass(frozen=True)
class UpgradeView:
    """What the templates see. URLs end with a slash."""

    model: str
    firmware_folder: str
    stage_one_url: str  # where the phone asked, for phones that must be told to ask there again


def firmware_folder(mirror_url: str, vendor: Vendor, model: Model) -> str:
    """Where the mirror has a model's approved firmware: `MIRROR/VENDOR/MODEL/VERSION/`, a blank in the model's name as `_`."""
    return f"{mirror_url}/{vendor.name}/{model.name.replace(' ', '_')}/{model.approved_firmware}/"


def render_upgrade(mirror_url: str, vendor: Vendor, model: Model, stage_one_url: str, file_name: str) -> PhoneFile | None:
    """The file, or None without a mirror, or for a vendor whose phones cannot be told."""
    if not mirror_url or not vendor.upgrade_template:
        return None
    view = UpgradeView(model.name.replace(" ", "_"), firmware_folder(mirror_url, vendor, model), stage_one_url)
    template = choose_template(vendor.name, vendor.upgrade_template, model.family, model.name)
    return PhoneFile(file_name, vendor.content_type, render(vendor.name, template, phone=view))
