"""A synthesised region without what the emulator does not know; docs/deploy.md tells how a real account shows those."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Of each, what stands for its attributes in the rest of the template.
UNKNOWN = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "service/cluster/edge",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:none",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:none",  # those of metric math alone
    "AWS::EC2::EIP": "198.51.100.1",
    "AWS::EC2::FlowLog": "fl-0",
    "AWS::EC2::SecurityGroupEgress": "sgr-0",
    "AWS::EC2::SecurityGroupIngress": "sgr-0",
    "AWS::SecretsManager::RotationSchedule": "none",
    "AWS::WAFv2::WebACLAssociation": "none",
}


def reduce_assembly(folder: Path) -> set[str]:
    """Rewrites every template below `folder`; the types that were taken out."""
    removed: set[str] = set()
    for path in sorted(folder.glob("*.template.json")):
        template = json.loads(path.read_text(encoding="utf-8"))
        gone = {name: item["Type"] for name, item in template["Resources"].items() if _is_unknown(item)}
        template["Resources"] = {name: item for name, item in template["Resources"].items() if name not in gone}
        path.write_text(json.dumps(_without(template, gone)), encoding="utf-8")
        removed |= set(gone.values())
    return removed


def _is_unknown(resource: Any) -> bool:
    is_simple_alarm = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" not in resource["Properties"]
    return resource["Type"] in UNKNOWN and not is_simple_alarm


def _without(value: Any, gone: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_without(item, gone) for item in value]
    if not isinstance(value, dict):
        return value
    named = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    if len(value) == 1 and named in gone:
        return UNKNOWN[gone[named]]
    kept = {key: _without(item, gone) for key, item in value.items()}
    if isinstance(value.get("DependsOn"), list):
        kept["DependsOn"] = [name for name in value["DependsOn"] if name not in gone]
    elif value.get("DependsOn") in gone:
        del kept["DependsOn"]
    return kept
