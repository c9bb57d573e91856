"""The rules of cdk-nag that a region does not follow, each with its reason and where. Every other rule holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.region import Region


@dataclass(frozen=True)
class Acknowledged:
    """`rule` need not hold at `place`, a path below the region's stage, because of `reason`."""

    place: str
    rule: str
    reason: str


_ANY = "IAM5[Resource::*]"
ACKNOWLEDGED: tuple[Acknowledged, ...] = (
    Acknowledged("data/RegionKey", "SMG4", "tokens and passwords of every phone are derived from it: it never changes"),
    Acknowledged("data/EdgeCredentials", "SMG4", "is rotated every 30 days, by the schedule in the other stack"),
    Acknowledged("data/EntraSecret", "SMG4", "belongs to Entra ID, where the operator renews it"),
    Acknowledged("gateway/Network/BalancerGroup", "EC23", "phones call TLS 5061 from anywhere: that is the service"),
    Acknowledged("gateway/Network/EdgeGroup", "EC23", "media comes on UDP 49152-53247 from wherever a phone stands"),
    Acknowledged("gateway/Functions", _ANY, "X-Ray, random text and network interfaces: AWS knows no resource for these calls"),
    Acknowledged("gateway/Functions", "L1", "the newest Python that Chalice knows and the building machine has"),
    Acknowledged("gateway/Api/Rest", "APIG2", "the functions check every request and answer with problem documents"),
    Acknowledged("gateway/Api/Rest", "APIG6", "execution logs would hold paths, and those the tokens of phones"),
    Acknowledged("gateway/Edge/Task", _ANY, "the token for the image registry: AWS knows no resource for that call"),
    Acknowledged(
        "gateway/Edge/Task", "IAM5[Resource::{edge_queues}]", "every task has a queue of its own, named after the task"
    ),
    Acknowledged(
        "gateway/Edge/Task", "IAM5[Resource::{subscriptions}]", "a subscription's name is made by SNS, behind the topic's"
    ),
    Acknowledged("gateway/Edge/Task", "ECS2", "the variables are settings; the secrets among them come from Secrets Manager"),
    Acknowledged(
        "gateway/Edge/Balancer", "ELB2", "a network load balancer logs TLS listeners alone; here TLS ends in Kamailio"
    ),
)


def check_rules(app: cdk.App, regions: Sequence[Region]) -> None:
    """Has the synthesis fail where a rule is broken that is not acknowledged here."""
    for region in regions:
        for item in ACKNOWLEDGED:
            place = app.node.find_child(region.name)
            for name in item.place.split("/"):
                place = place.node.find_child(name)
            rule = item.rule.format(**_arns(region))
            acknowledgment = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=item.reason)
            cdk.Validations.of(place).acknowledge(acknowledgment)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _arns(region: Region) -> dict[str, str]:
    """As cdk-nag spells them in its findings."""
    place = f"{region.aws_region}:{region.account}:{region.prefix}"
    return {
        "edge_queues": f"arn:<AWS::Partition>:sqs:{place}-edge-*",
        "subscriptions": f"arn:<AWS::Partition>:sns:{place}-commands:*",
    }
