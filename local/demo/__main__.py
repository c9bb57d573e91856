"""`make demo`. Exit status 0 only if every step was really seen."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from local.demo.administrator import Administrator
from local.demo.gateway import GatewayProcess
from local.demo.life import MAC, Cast, live
from local.demo.steps import Steps
from local.virtual_phone.errors import NamespaceError
from local.virtual_phone.namespace import enter_namespace
from local.virtual_phone.phone import Sighting, VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity

PUBLIC_URL = "https://localhost:8443"
API_URL = "http://127.0.0.1:8000"
SIGN_IN_URL = "http://127.0.0.1:8001"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder to keep a screenshot of every page in")
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
            run(gateway, steps, options.pictures)
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever went wrong, the demo says so and fails
            print(f"\nThe demo failed: {error}")
            print("The gateway's last lines:\n  " + "\n  ".join(gateway.read_log().splitlines()[-25:]))
            return 1
        finally:
            if options.keep_log:
                options.keep_log.write_text(gateway.all_logs(), encoding="utf-8")
    steps.finish()
    return 0


def run(gateway: GatewayProcess, steps: Steps, pictures: Path | None) -> None:
    """The whole demo against a gateway of its own. Raises at the first step that was not seen."""
    with gateway:
        trust = gateway.state / "tls" / "ca.pem"
        print(f"A gateway of its own runs in {gateway.state}.")
        identity = DeviceIdentity(MAC)
        with VirtualPhone(identity, dhcp_url=f"{PUBLIC_URL}/lang_en/", factory_trust=trust, on_sighting=_print) as phone:
            administrator = Administrator(API_URL, SIGN_IN_URL)
            secrets: list[str] = []
            live(Cast(steps, administrator, phone, PUBLIC_URL, trust, pictures))
            secrets.extend(phone.secrets_seen)
        with steps.step("No secret in any log"):
            logs = gateway.all_logs()
            found = [place for place, secret in enumerate(secrets) if secret in logs]
            steps.expect([], found, "secrets of the phone that stand in a log")
            steps.show(f"{len(secrets)} tokens and passwords looked for in {len(logs)} characters of logs")


def _print(sighting: Sighting) -> None:
    print(f"     {sighting}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
