"""What a region may ask for besides: each keeps every rule of cdk-nag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.acknowledgements import check_rules
from infra.app import RegionStage
from infra.network import SIP_TLS, TRUNK
from infra.package.build import build_package
from infra.region import REGIONS, load_region
from sip_edge.agent.settings import AgentSettings, KamailioSettings

_EDGE_SETTINGS = (*AgentSettings.__dataclass_fields__, *KamailioSettings.__dataclass_fields__)
TRUNK_SECRET = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:sipgw-full-trunk-certificate-AbCdEf"
ROOTS = "-----BEGIN CERTIFICATE-----\nTUFOVUZBQ1RVUkVS\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a region that asks for everything."""
    folder = tmp_path_factory.mktemp("options")
    roots = folder / "roots.pem"
    roots.write_text(ROOTS)
    text = (REGIONS / "emea.toml").read_text()
    text = text.replace("[edge]", 'sip_second = "sip2.emea.gateway.example:5061"\n[edge]', 1)
    text = text.replace("[edge]", 'zone_id = "Z123"\nzone_name = "emea.gateway.example"\n\n[edge]', 1)
    text += f'\n[functions]\nfixed_egress = true\n\n[phones]\nmanufacturer_roots = "{roots}"\n'
    text += '\n[directory]\nusers = "graph"\ntable = "home"\nreplicas = ["us-east-1"]\n'
    text += '\n[trunk]\npeers = ["sbc1.example.net:5061", "sbc2.example.net:5061"]\n'
    text += 'networks = ["203.0.113.0/24", "198.51.100.0/24"]\nname = "trunk.emea.gateway.example"\n'
    text += f'peer_names = ["*.example.net"]\ncertificate_secret_arn = "{TRUNK_SECRET}"\n'
    (folder / "full.toml").write_text(text)
    region = load_region("full", folder)
    app = cdk.App(outdir=str(folder / "out"), analytics_reporting=False)
    RegionStage(app, region, build_package())
    check_rules(app, [region])
    app.synth()
    found: dict[str, Any] = {}
    for path in Path(folder / "out/assembly-full").glob("*.template.json"):
        found |= json.loads(path.read_text())["Resources"]
    return found


def of_type(resources: dict[str, Any], kind: str) -> list[Any]:
    return [item["Properties"] for item in resources.values() if item["Type"] == kind]


def test_functions_that_talk_to_entra_have_fixed_addresses(resources: dict[str, Any]) -> None:
    functions = {item["FunctionName"]: "VpcConfig" in item for item in of_type(resources, "AWS::Lambda::Function")}

    assert 2 == len(of_type(resources, "AWS::EC2::NatGateway"))
    assert 4 == len(of_type(resources, "AWS::EC2::EIP"))
    assert (True, True, False) == tuple(functions[f"sipgw-full-{name}"] for name in ("people", "edge", "phones"))


def test_phones_need_a_certificate_of_their_manufacturer(resources: dict[str, Any]) -> None:
    domains = {item["DomainName"]: item for item in of_type(resources, "AWS::ApiGateway::DomainName")}

    assert domains["phones.emea.gateway.example"]["MutualTlsAuthentication"]["TruststoreUri"]
    assert "MutualTlsAuthentication" not in domains["gateway.emea.gateway.example"]


def test_hosts_get_their_records(resources: dict[str, Any]) -> None:
    assert {"phones.emea.gateway.example.", "gateway.emea.gateway.example."} == {
        item["Name"] for item in of_type(resources, "AWS::Route53::RecordSet")
    }


def test_functions_and_edges_know_the_second_sip_server(resources: dict[str, Any]) -> None:
    functions = {item.get("FunctionName"): item for item in of_type(resources, "AWS::Lambda::Function")}
    (task,) = of_type(resources, "AWS::ECS::TaskDefinition")
    edge = {item["Name"]: item["Value"] for item in task["ContainerDefinitions"][0]["Environment"]}

    second = "sip2.emea.gateway.example:5061"
    assert (second, second) == (
        functions["sipgw-full-phones"]["Environment"]["Variables"]["SIPGW_SIP_SECOND"],
        edge["EDGE_SIP_SECOND"],
    )


def test_a_shared_directory_has_its_copies(resources: dict[str, Any]) -> None:
    tables = {item["TableName"]: item for item in of_type(resources, "AWS::DynamoDB::GlobalTable")}

    assert {"eu-central-1", "us-east-1"} == {item["Region"] for item in tables["sipgw-directory"]["Replicas"]}
    assert 1 == len(tables["sipgw-full-region"]["Replicas"])


def test_a_trunk_reaches_the_edges_from_its_networks_alone(resources: dict[str, Any]) -> None:
    rules = [rule for group in of_type(resources, "AWS::EC2::SecurityGroup") for rule in group.get("SecurityGroupIngress", [])]
    between = of_type(resources, "AWS::EC2::SecurityGroupIngress")

    assert {"203.0.113.0/24", "198.51.100.0/24"} == {rule["CidrIp"] for rule in rules if rule["FromPort"] == TRUNK}
    assert [5060, 5061, 5062] == sorted(rule["FromPort"] for rule in between)
    assert {5061, 5062} == {item["Port"] for item in of_type(resources, "AWS::ElasticLoadBalancingV2::Listener")}


def test_a_peer_comes_back_to_the_edge_that_has_its_call(resources: dict[str, Any]) -> None:
    groups = {
        item["Port"]: item["TargetGroupAttributes"] for item in of_type(resources, "AWS::ElasticLoadBalancingV2::TargetGroup")
    }
    sticky = [{item["Key"]: item["Value"] for item in groups[port]}.get("stickiness.type") for port in (SIP_TLS, TRUNK)]

    assert [None, "source_ip"] == sticky


def test_an_edge_is_told_of_the_trunk(resources: dict[str, Any]) -> None:
    (task,) = of_type(resources, "AWS::ECS::TaskDefinition")
    (container,) = task["ContainerDefinitions"]
    (service,) = of_type(resources, "AWS::ECS::Service")
    environment = {item["Name"]: item["Value"] for item in container["Environment"]}
    kamailio = KamailioSettings.from_environment(environment)

    assert (
        "sbc1.example.net:5061,sbc2.example.net:5061",
        "203.0.113.0/24,198.51.100.0/24",
        "trunk.emea.gateway.example",
        TRUNK,
        "*.example.net",
    ) == (
        kamailio.trunk_peers,
        kamailio.trunk_networks,
        kamailio.trunk_name,
        kamailio.trunk_port,
        kamailio.trunk_peer_names,
    )
    assert [SIP_TLS, TRUNK] == [mapping["ContainerPort"] for mapping in container["PortMappings"]]
    assert [SIP_TLS, TRUNK] == sorted(item["ContainerPort"] for item in service["LoadBalancers"])
    assert set() == set(environment) - {f"EDGE_{name.upper()}" for name in _EDGE_SETTINGS} - {"AWS_DEFAULT_REGION"}


def test_an_edge_gets_the_certificate_of_its_trunk(resources: dict[str, Any]) -> None:
    (task,) = of_type(resources, "AWS::ECS::TaskDefinition")
    (container,) = task["ContainerDefinitions"]
    secrets = {item["Name"]: item["ValueFrom"] for item in container["Secrets"]}
    readable = json.dumps([policy["PolicyDocument"] for policy in of_type(resources, "AWS::IAM::Policy")])

    assert (f"{TRUNK_SECRET}:certificate::", f"{TRUNK_SECRET}:key::") == (
        secrets["EDGE_TRUNK_CERTIFICATE_PEM"],
        secrets["EDGE_TRUNK_KEY_PEM"],
    )
    assert TRUNK_SECRET in readable
