"""`python -m infra synth|diff|deploy|rollback|rollout|destroy NAME…`: make has them by the same names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.account import Account, Refused
from infra.package.build import BuildFailed
from infra.package.interpreter import NoInterpreter, find_interpreter
from infra.region import BadRegion, Region, load_region, region_names


def main(arguments: list[str]) -> int:
    """Exit status 1 where it cannot be done, with the reason; 2 where the command line is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    parser.add_argument("command", choices=["synth", "diff", "deploy", "rollback", "rollout", "destroy"])
    parser.add_argument("regions", nargs="+", help=f"names of files in infra/regions: {', '.join(region_names())}")
    options = parser.parse_args(arguments)
    if options.command not in {"synth", "rollout"} and len(options.regions) > 1:
        parser.error(f"{options.command} takes one region; rollout takes several")
    try:
        _carry_out(options.command, [load_region(name) for name in options.regions])
    except (BadRegion, BuildFailed, NoInterpreter, Refused) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _carry_out(command: str, regions: list[Region]) -> None:
    from infra import deployment  # noqa: PLC0415 - a wrong command line is told without waiting for CDK

    accounts = [Account(region) for region in regions] if command != "synth" else []
    for account in accounts:
        account.check()
    if command == "rollback":
        deployment.roll_back(accounts[0], regions[0], _say)
        return
    if command == "destroy":
        _ask_for_the_name(regions[0])
        deployment.destroy(accounts[0], regions[0], _say)
        return
    assemblies = _synthesise(regions)
    if command == "diff":
        deployment.show_difference(accounts[0], regions[0], assemblies[0], _say)
    elif command == "deploy":
        for name, value in deployment.deploy(accounts[0], regions[0], assemblies[0], _say).items():
            _say(f"  {name} = {value}")
    elif command == "rollout":
        deployment.roll_out(list(zip(regions, accounts, assemblies, strict=True)), _say)


def _synthesise(regions: list[Region]) -> list[Path]:
    from infra.app import synthesise  # noqa: PLC0415 - starts CDK's own runtime

    note = find_interpreter().note
    if note:
        _say(f"note: {note}")
    output = synthesise([region.name for region in regions])
    folders = [output / f"assembly-{region.name}" for region in regions]
    for folder in folders:
        for template in sorted(folder.glob("*.template.json")):
            _say(f"{template.relative_to(Path.cwd()) if template.is_relative_to(Path.cwd()) else template}")
    return folders


def _ask_for_the_name(region: Region) -> None:
    if not sys.stdin.isatty():
        raise Refused("destroy asks for the region's name at a terminal, so that no script does it by mistake.")
    sys.stdout.write(f"This ends the gateway {region.name}: its phones lose their service. Type its name to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != region.name:
        raise Refused("That is not its name; nothing was changed.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
