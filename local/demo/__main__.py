"""`make demo`. Exit status 0 only if every step was really seen."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from local.demo.administrator import Administrator
from local.demo.browser import Computer
from local.demo.cast import ROLES, Cast, Desk, Role
from local.demo.gateway import GatewayProcess
from local.demo.life import live, live_together
from local.demo.steps import Steps
from local.virtual_phone.errors import NamespaceError
from local.virtual_phone.namespace import enter_namespace
from local.virtual_phone.phone import Sighting, VirtualPhone
from local.virtual_phone.yealink import YealinkDevice

PUBLIC_URL = "https://localhost:8443"
API_URL = "http://127.0.0.1:8000"
SIGN_IN_URL = "http://127.0.0.1:8001"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, help="folder to keep a screenshot of every page in, one folder in it per vendor"
    )
    parser.add_argument("--vendor", choices=[role.vendor.lower() for role in ROLES], help="the phone of one vendor alone")
    parser.add_argument("--model", default=YealinkDevice.model, help="the Yealink model that the phone says it is")
    parser.add_argument("--keep-log", type=Path, help="file to keep the gateway's output in")
    options = parser.parse_args()
    try:
        enter_namespace()
    except NamespaceError as error:
        print(f"The demo needs a network namespace of its own: {error}")
        return 1
    steps = Steps()
    with tempfile.TemporaryDirectory(prefix="sip-gateway-demo-") as folder:
        gateway = GatewayProcess(Path(folder) / "state")
        try:
            run(gateway, steps, _choose_roles(options.vendor, options.model), options.pictures)
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever went wrong, the demo says so and fails
            print(f"\nThe demo failed: {error}")
            print("The gateway's last lines:\n  " + "\n  ".join(gateway.read_log().splitlines()[-25:]))
            return 1
        finally:
            if options.keep_log:
                options.keep_log.write_text(gateway.all_logs(), encoding="utf-8")
    steps.finish()
    return 0


def run(gateway: GatewayProcess, steps: Steps, roles: list[Role], pictures: Path | None) -> None:
    """The whole demo against a gateway of its own. Raises at the first step that was not seen."""
    with ExitStack() as stack:
        stack.enter_context(gateway)
        print(f"A gateway of its own runs in {gateway.state}.")
        trust = gateway.state / "tls" / "ca.pem"
        computer = stack.enter_context(Computer(pictures))
        cast = Cast(steps, Administrator(API_URL, SIGN_IN_URL), computer, PUBLIC_URL, trust)
        desks = [Desk(role, stack.enter_context(_phone(role, trust))) for role in roles]
        for desk in (desk for desk in desks if desk.role.has_full_life):
            live(cast, desk)
        live_together(cast, [desk for desk in desks if not desk.role.has_full_life])
        with steps.step("No secret in any log"):
            logs = gateway.all_logs()
            secrets = sorted(secret for desk in desks for secret in desk.phone.secrets_seen)
            found = [place for place, secret in enumerate(secrets) if secret in logs]
            steps.expect([], found, "secrets of the phones that stand in a log")
            steps.show(f"{len(secrets)} tokens and passwords looked for in {len(logs)} characters of logs")


def _choose_roles(vendor: str | None, model: str) -> list[Role]:
    yealink, *others = ROLES
    roles = [replace(yealink, device=YealinkDevice(yealink.device.mac, model=model)), *others]
    return [role for role in roles if vendor in {None, role.vendor.lower()}]


def _phone(role: Role, trust: Path) -> VirtualPhone:
    dhcp_url = f"{PUBLIC_URL}/lang_en/{role.dhcp_file}"
    return VirtualPhone(role.device, dhcp_url=dhcp_url, factory_trust=trust, on_sighting=_print)


def _print(sighting: Sighting) -> None:
    print(f"     {sighting}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
