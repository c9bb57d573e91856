"""What a region's templates promise of its edges: sealed, with room for the phones of one that is lost."""

from __future__ import annotations

import json
import re

from infra.costs.month import TASKS
from infra.tests.conftest import Templates


def test_the_edge_is_sealed(emea: Templates) -> None:
    (container,) = emea.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]

    assert (True, "10001", 120) == (container["ReadonlyRootFilesystem"], container["User"], container["StopTimeout"])
    assert re.fullmatch(r".+@sha256:[0-9a-f]{64}", container["Image"])
    assert not container.get("Privileged")
    assert {"EDGE_TLS_CERTIFICATE_PEM", "EDGE_TLS_KEY_PEM"} == {item["Name"] for item in container["Secrets"]}


def test_an_edge_removes_queues_of_edges_and_subscriptions_of_the_topic_alone(emea: Templates) -> None:
    statements = {
        statement["Sid"]: statement
        for policy in emea.of_type("AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "Sid" in statement
    }
    queue, subscription = statements["OwnQueue"], statements["OwnSubscription"]

    assert {"sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:ListQueueTags", "sqs:TagQueue"} <= set(queue["Action"])
    assert json.dumps(queue["Resource"]).endswith(':sipgw-emea-edge-*"]]}')
    assert ["sns:ListSubscriptionsByTopic", "sns:Subscribe", "sns:Unsubscribe"] == subscription["Action"]
    assert "*" not in subscription["Resource"]


def test_an_edge_has_room_for_half_as_many_phones_again(emea: Templates) -> None:
    """One of three tasks lost. The bill is computed from the same numbers (infra/costs/month.py)."""
    tasks = emea.region.edge
    (container,) = emea.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    told = {item["Name"]: item["Value"] for item in container["Environment"]}
    (files,) = [limit["SoftLimit"] for limit in container["Ulimits"] if limit["Name"] == "nofile"]

    assert tasks.phones_per_task * 3 / 2 <= int(told["EDGE_MAX_CONNECTIONS"]) < files
    assert tasks.phones_per_task * 3 / 2 * 60 / 1000 + 300 <= tasks.memory_mb
    assert tasks.phones_per_task * 3 / 2 * 55 / 1000 <= int(told["EDGE_SHARED_MEMORY_MB"]) <= tasks.memory_mb - 300
    assert (tasks.cpu, tasks.memory_mb, tasks.phones_per_task) == (TASKS.cpu, TASKS.memory_mb, TASKS.phones_per_task)


def test_tls_goes_through_the_load_balancer_as_it_is(emea: Templates) -> None:
    listener = emea.only("AWS::ElasticLoadBalancingV2::Listener")
    group = emea.only("AWS::ElasticLoadBalancingV2::TargetGroup")
    attributes = {item["Key"]: item["Value"] for item in group["TargetGroupAttributes"]}

    assert ("TCP", 5061) == (listener["Protocol"], listener["Port"])
    assert ("true", "300", "true") == (
        attributes["preserve_client_ip.enabled"],
        attributes["deregistration_delay.timeout_seconds"],
        attributes["deregistration_delay.connection_termination.enabled"],
    )


def test_processor_load_never_ends_a_task(emea: Templates) -> None:
    policies = emea.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    tracking = [
        item["TargetTrackingScalingPolicyConfiguration"] for item in policies if item["PolicyType"] == "TargetTrackingScaling"
    ]

    assert [True] == [item["DisableScaleIn"] for item in tracking]
