"""What the commands do with a region: show the difference, deploy, go back to the release before, roll out, destroy."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from infra.account import Account, Change, Refused
from infra.region import Region

Say = Callable[[str], None]
SETTLE_SECONDS = 600  # the longest period of the alarms that tell of a bad release


@dataclass(frozen=True)
class Template:
    """A synthesised stack: its name, where its template lies among the artefacts, and whether it is the one of the data."""

    stack: str
    key: str
    holds_data: bool


def templates_of(assembly: Path, region: Region) -> list[Template]:
    """The region's stacks, the data first, as the assembly's manifest lists them."""
    found = []
    for artifact in json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            key = str(properties["stackTemplateAssetObjectUrl"]).rpartition("/")[2]
            found.append(Template(properties["stackName"], key, properties["stackName"] == f"{region.prefix}-data"))
    return sorted(found, key=lambda item: not item.holds_data)


def show_difference(account: Account, region: Region, assembly: Path, say: Say) -> None:
    """Prints what a deployment would change, and changes nothing but the bucket of artefacts."""
    _prepare(account, assembly)
    for template in templates_of(assembly, region):
        change_set = account.plan(template.stack, template.key)
        if change_set is None:
            say(f"{template.stack}: no change")
            continue
        say(f"{template.stack}:")
        for change in account.changes(template.stack, change_set):
            say(f"  {_line(change)}")
        account.drop(template.stack, change_set)


def deploy(account: Account, region: Region, assembly: Path, say: Say) -> Mapping[str, str]:
    """Brings the region to what was synthesised, and keeps a note of the release. The outputs of its stacks."""
    _prepare(account, assembly)
    templates = templates_of(assembly, region)
    outputs: dict[str, str] = {}
    for template in templates:
        outputs |= _apply(account, template, say)
    _note(account, region, templates, _commit())
    return outputs


def roll_back(account: Account, region: Region, say: Say) -> None:
    """Brings the region back to the release before the present one; tables and secrets stay. Raises Refused without one."""
    account.check()
    releases = account.kept(_releases(region))
    present = releases[-1] if releases else None
    former = [item for item in releases if present and item["gateway"] != present["gateway"]]
    if not former:
        raise Refused(f"{region.name} has no release before its present one.")
    target = former[-1]
    say(f"going back to the release of {target['at']} ({target['commit']})")
    _apply(account, Template(region.prefix, target["gateway"], holds_data=False), say)
    _note(account, region, [Template(region.prefix, target["gateway"], holds_data=False)], target["commit"])


def roll_out(regions: Sequence[tuple[Region, Account, Path]], say: Say, *, settle_seconds: float = SETTLE_SECONDS) -> None:
    """Deploys region by region. One that does not answer or rings an alarm goes back, and the rest stay as they are."""
    for region, account, assembly in regions:
        say(f"== {region.name}")
        ringing = set(account_alarms(account))
        deploy(account, region, assembly, say)
        problem = _watch(account, region, ringing, settle_seconds)
        if problem:
            say(f"{region.name}: {problem}; going back")
            roll_back(account, region, say)
            raise Refused(
                f"The roll-out stopped at {region.name}: {problem}. It runs its former release; those after it do too."
            )
        say(f"{region.name} is well")


def account_alarms(account: Account) -> list[str]:
    """What rings before the deployment does not count against it."""
    account.check()
    return account.alarms()


def destroy(account: Account, region: Region, say: Say) -> None:
    """Deletes everything but the data."""
    account.check()
    account.delete(region.prefix)
    say(f"{region.prefix} is gone. Tables and secrets stay in {region.prefix}-data; docs/deploy.md says how to end them.")


def _prepare(account: Account, assembly: Path) -> None:
    account.check()
    account.make_bucket()
    account.publish(assembly)


def _apply(account: Account, template: Template, say: Say) -> Mapping[str, str]:
    change_set = account.plan(template.stack, template.key)
    if change_set is None:
        say(f"{template.stack}: no change")
        return account.outputs(template.stack)
    changes = list(account.changes(template.stack, change_set))
    lost = [change for change in changes if template.holds_data and (change.replaces or change.action == "Remove")]
    if lost:
        account.drop(template.stack, change_set)
        raise Refused(
            f"{template.stack}: this would replace or remove {', '.join(change.name for change in lost)}, and its data."
        )
    say(f"{template.stack}: {len(changes)} changes")
    outputs = account.execute(template.stack, change_set, protect=template.holds_data)
    say(f"{template.stack}: done")
    return outputs


def _watch(account: Account, region: Region, ringing: set[str], settle_seconds: float) -> str:
    """What is wrong with the region within the time that alarms need, or nothing."""
    deadline = time.monotonic() + settle_seconds
    while True:
        for host in (region.hosts.phones, region.hosts.people):
            problem = _health_problem(f"https://{host}/healthz")
            if problem:
                return problem
        fresh = sorted(set(account.alarms()) - ringing)
        if fresh:
            return f"{', '.join(fresh)} ring"
        if time.monotonic() >= deadline:
            return ""
        time.sleep(min(30.0, settle_seconds))


def _health_problem(url: str) -> str:
    try:
        answer = httpx.get(url, timeout=20)
    except httpx.HTTPError as error:
        return f"{url} does not answer ({type(error).__name__})"
    return "" if answer.is_success else f"{url} answers {answer.status_code}"


def _line(change: Change) -> str:
    return f"{change.action:7} {change.kind} {change.name}{' (made anew)' if change.replaces else ''}"


def _releases(region: Region) -> str:
    return f"releases/{region.name}/"


def _note(account: Account, region: Region, templates: Sequence[Template], commit: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    gateway = next(item.key for item in templates if not item.holds_data)
    release: dict[str, Any] = {"at": at, "commit": commit, "gateway": gateway}
    account.keep(f"{_releases(region)}{at}.json", release)


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - git as the operator has it
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
