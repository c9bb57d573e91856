"""What a region's templates promise: nothing open, nothing unencrypted, nothing secret, nothing allowed without a reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.adapters.dynamodb.models import open_tables
from chalicelib.adapters.records import LISTING_INDEX, Table
from chalicelib.handlers.answers import plain_404
from chalicelib.settings import Settings
from infra.alarms import anchor_of
from infra.api import LOGGED
from infra.functions import IN_THE_BACKGROUND, RIGHTS, pascal
from infra.network import BETWEEN_EDGES, SIP_TLS
from infra.routes import queue_readers, routes, schedules, unknown_functions
from infra.tests.conftest import Templates
from sip_edge.agent.settings import AgentSettings, KamailioSettings

# Calls that AWS knows no resource for: X-Ray's, Secrets Manager's random text, and the token of an image registry.
FUNCTIONS_BY_EVENT = [*(item.name for item in schedules()), *(item.name for item in queue_readers())]
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "secretsmanager:GetRandomPassword",
    "ecr:GetAuthorizationToken",
}


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    """W3010: a region's file names its zones. W3005: CDK writes dependencies that follow from references as well."""
    files = sorted(map(str, assembly.glob("assembly-*/*.template.json")))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", "W3010", "W3005", "--", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stdout)


def test_routes_are_those_of_the_app(templates: Templates) -> None:
    paths = templates.only("AWS::ApiGateway::RestApi")["Body"]["paths"]

    assert {path: sorted(methods) for path, methods in app.routes.items()} == {
        path: sorted(name.upper() for name in methods) for path, methods in paths.items()
    }


def test_every_route_goes_to_the_function_of_its_group(emea: Templates) -> None:
    functions = {name: item["FunctionName"] for name, item in emea.of_type("AWS::Lambda::Function").items()}
    paths = emea.only("AWS::ApiGateway::RestApi")["Body"]["paths"]
    for route in routes():
        uri = json.dumps(paths[route.path][route.method.lower()]["x-amazon-apigateway-integration"]["uri"])
        (called,) = [name for logical, name in functions.items() if f'"{logical}"' in uri]

        assert f"sipgw-emea-{route.group}" == called


def test_every_handler_of_the_app_has_its_function(emea: Templates) -> None:
    started = [name.replace("_", "-") for name in FUNCTIONS_BY_EVENT]
    wanted = {*RIGHTS, *started, "rotation"}

    assert [] == unknown_functions()
    assert {f"sipgw-emea-{name}" for name in wanted} == {
        item["FunctionName"] for item in emea.of_type("AWS::Lambda::Function").values()
    }


def test_a_schedule_has_its_clock(emea: Templates) -> None:
    rules = emea.of_type("AWS::Events::Rule").values()

    assert sorted(item.expression for item in schedules()) == sorted(rule["ScheduleExpression"] for rule in rules)
    assert {"ENABLED"} == {rule["State"] for rule in rules}


def test_an_unknown_path_gets_the_apps_own_404(emea: Templates) -> None:
    answers = emea.only("AWS::ApiGateway::RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    own = plain_404()
    for kind in ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"):
        assert (404, own.body) == (answers[kind]["statusCode"], answers[kind]["responseTemplates"]["application/json"])
        assert {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in own.headers.items()} == answers[kind][
            "responseParameters"
        ]


def test_uploads_of_any_type_reach_the_function_as_they_are(emea: Templates) -> None:
    assert ["*/*"] == emea.only("AWS::ApiGateway::RestApi")["Body"]["x-amazon-apigateway-binary-media-types"]


def test_no_log_holds_a_path(emea: Templates) -> None:
    """A path has the phone's token in it. Execution logs and the API's traces hold paths, so they are off."""
    stage = emea.only("AWS::ApiGateway::Stage")
    settings = stage["MethodSettings"][0]

    assert LOGGED == json.loads(stage["AccessLogSetting"]["Format"])
    assert {"$context.path", "$context.identity.clientCert"} & set(LOGGED.values()) == set()
    assert (False, None, False) == (stage["TracingEnabled"], settings.get("LoggingLevel"), settings["DataTraceEnabled"])
    sampled = re.findall(r'"SampledRequestsEnabled": (\w+)', json.dumps(emea.only("AWS::WAFv2::WebACL")))
    assert {"false"} == set(sampled)


def test_requests_are_limited_and_stage_1_and_pairing_more_so(templates: Templates) -> None:
    rules = {rule["Name"]: rule["Statement"]["RateBasedStatement"] for rule in templates.only("AWS::WAFv2::WebACL")["Rules"]}
    limits = templates.region.limits
    method = templates.only("AWS::ApiGateway::Stage")["MethodSettings"][0]

    assert (limits.requests_per_second, limits.burst) == (method["ThrottlingRateLimit"], method["ThrottlingBurstLimit"])
    assert rules["Pairing"]["Limit"] < rules["StageOne"]["Limit"] < rules["Others"]["Limit"] < rules["Edges"]["Limit"]


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/805ec0123456.cfg", {"StageOne", "Others"}),
        ("/lang_de/tenantid/d0000000-0000-4000-8000-000000000001/x.cfg", {"StageOne", "Others"}),
        ("/d/TOKEN/lang_en/x.cfg", {"Others"}),
        ("/api/d/TOKEN/x.cfg", {"Others"}),
        ("/pair", {"Pairing", "Others"}),
        ("/auth/callback", {"Pairing", "Others"}),
        ("/pairs", {"StageOne", "Others"}),
        ("/v1/devices", {"Others"}),
        ("/edge/v1/events", {"Edges"}),
    ],
)
def test_a_path_is_counted_by_its_rules(emea: Templates, path: str, rules: set[str]) -> None:
    def matches(statement: Any) -> bool:
        if "NotStatement" in statement:
            return not matches(statement["NotStatement"]["Statement"])
        return re.search(statement["RegexMatchStatement"]["RegexString"], path) is not None

    acl = emea.only("AWS::WAFv2::WebACL")["Rules"]

    assert rules == {rule["Name"] for rule in acl if matches(rule["Statement"]["RateBasedStatement"]["ScopeDownStatement"])}


def test_tables_have_the_keys_of_the_store(templates: Templates) -> None:
    tables = {item["TableName"]: item for item in templates.of_type("AWS::DynamoDB::GlobalTable").values()}
    region = templates.region
    models = open_tables(region.region_table, region.directory_table, aws_region="eu-central-1", host=None).models
    for kind, name in ((Table.REGION, region.region_table), (Table.DIRECTORY, region.directory_table)):
        schema = models[kind]._get_schema()["key_schema"]

        assert schema == tables[name]["KeySchema"]
        assert {"AttributeName": "expires_at", "Enabled": True} == tables[name]["TimeToLiveSpecification"]
    (index,) = tables[region.region_table]["GlobalSecondaryIndexes"]
    assert (LISTING_INDEX, "ALL") == (index["IndexName"], index["Projection"]["ProjectionType"])
    assert ["listing_partition", "listing_sort"] == [item["AttributeName"] for item in index["KeySchema"]]


def test_tables_are_encrypted_restorable_and_safe_from_deletion(templates: Templates) -> None:
    for _, resource in templates.resources("AWS::DynamoDB::GlobalTable"):
        table = resource["Properties"]

        assert ("PAY_PER_REQUEST", "Retain") == (table["BillingMode"], resource["DeletionPolicy"])
        assert table["SSESpecification"]["SSEEnabled"]
        for replica in table["Replicas"]:
            assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
            assert replica["DeletionProtectionEnabled"]


def test_secrets_are_made_up_by_aws_and_kept(templates: Templates) -> None:
    secrets = dict(templates.resources("AWS::SecretsManager::Secret"))

    assert 3 == len(secrets)
    for resource in secrets.values():
        assert "Retain" == resource["DeletionPolicy"]
        assert 64 == resource["Properties"]["GenerateSecretString"]["PasswordLength"]
        assert "SecretString" not in resource["Properties"]


def test_no_template_holds_a_secret(templates: Templates) -> None:
    text = json.dumps([templates.data, templates.gateway])

    assert [] == re.findall(r"-----BEGIN|AKIA[A-Z0-9]{16}|resolve:secretsmanager|\"SecretString\"", text)


def test_queues_and_topics_are_encrypted(templates: Templates) -> None:
    queues, topics = templates.of_type("AWS::SQS::Queue").values(), templates.of_type("AWS::SNS::Topic").values()

    assert all(queue["SqsManagedSseEnabled"] for queue in queues)
    assert all(topic["KmsMasterKeyId"] for topic in topics)
    assert (2, 2) == (len(queues), len(topics))


def test_work_that_fails_thrice_is_kept(emea: Templates) -> None:
    queues = {item["QueueName"]: item for item in emea.of_type("AWS::SQS::Queue").values()}

    assert 3 == queues["sipgw-emea-work"]["RedrivePolicy"]["maxReceiveCount"]
    assert 14 * 86400 == queues["sipgw-emea-failed"]["MessageRetentionPeriod"]


def test_nothing_is_open_but_5061_and_media(templates: Templates) -> None:
    groups = templates.of_type("AWS::EC2::SecurityGroup").values()
    inline = [rule for group in groups for rule in group.get("SecurityGroupIngress", [])]
    separate = list(templates.of_type("AWS::EC2::SecurityGroupIngress").values())
    to_all = [rule for rule in [*inline, *separate] if rule.get("CidrIp") == "0.0.0.0/0" or "CidrIpv6" in rule]

    assert [("tcp", 5061, 5061), ("udp", 49152, 53247)] == sorted(
        (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in to_all
    )
    assert {5060, 5061} == {rule["FromPort"] for rule in separate if "SourceSecurityGroupId" in rule}


def test_the_port_between_edges_is_open_to_edges_alone(templates: Templates) -> None:
    rules = [rule for rule in templates.of_type("AWS::EC2::SecurityGroupIngress").values() if rule["FromPort"] == BETWEEN_EDGES]

    (rule,) = rules
    assert rule["GroupId"] == rule["SourceSecurityGroupId"]


def test_without_a_trunk_nothing_of_it_is_there(templates: Templates) -> None:
    (container,) = templates.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]

    assert [SIP_TLS] == [mapping["ContainerPort"] for mapping in container["PortMappings"]]
    assert [] == [item["Name"] for item in container["Environment"] if "TRUNK" in item["Name"]]


def statements(templates: Templates) -> list[tuple[str, Any]]:
    found = [
        (name, statement)
        for name, policy in templates.of_type("AWS::IAM::Policy").items()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert found
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_every_action(templates: Templates) -> None:
    assert [] == [
        (name, action) for name, item in statements(templates) for action in as_list(item["Action"]) if action.endswith("*")
    ]


def test_every_resource_is_named_but_where_aws_knows_none(templates: Templates) -> None:
    everywhere = {
        action for _, item in statements(templates) if "*" in as_list(item["Resource"]) for action in as_list(item["Action"])
    }

    assert everywhere <= WITHOUT_RESOURCE


def test_nobody_has_rights_of_a_managed_policy(templates: Templates) -> None:
    assert [] == [name for name, role in templates.of_type("AWS::IAM::Role").items() if role.get("ManagedPolicyArns")]


def policy_of(templates: Templates, function: str) -> dict[str, Any]:
    """The statements of a function's role, by their sid."""
    (found,) = [
        item["Properties"]["PolicyDocument"]["Statement"]
        for name, item in templates.resources("AWS::IAM::Policy")
        if name.startswith(f"Functions{function}RoleDefaultPolicy")
    ]
    return {item.get("Sid", "trace"): item for item in found}


@pytest.mark.parametrize("function", [*map(str.capitalize, RIGHTS), *map(pascal, FUNCTIONS_BY_EVENT)])
def test_a_function_has_a_policy_of_its_own_with_what_it_needs(emea: Templates, function: str) -> None:
    policy = policy_of(emea, function)
    rights = RIGHTS.get(function.lower(), IN_THE_BACKGROUND)
    secrets = len(as_list(policy["Secrets"]["Resource"]))

    assert rights.writes_directory == ("dynamodb:PutItem" in policy["DirectoryTable"]["Action"])
    assert 1 + rights.knows_entra_secret + rights.knows_edge_credentials == secrets
    assert rights.hands_on_work == ("Work" in policy)
    assert "dynamodb:Scan" not in json.dumps(policy)


def test_phones_and_edges_know_no_secret_of_entra(emea: Templates) -> None:
    entra = next(name for name in emea.data["Resources"] if name.startswith("EntraSecret"))
    for function, knows in (("Phones", False), ("Edge", False), ("People", True), ("Admin", True)):
        assert knows == (entra in json.dumps(policy_of(emea, function)["Secrets"]))


def test_every_variable_is_a_setting(emea: Templates) -> None:
    """A misspelt variable would be a default in silence. `work_queue` is the setting of functions that hand on work."""
    known = {f"SIPGW_{name.upper()}" for name in (*Settings.__dataclass_fields__, "work_queue")}
    edges = {f"EDGE_{name.upper()}" for kind in (AgentSettings, KamailioSettings) for name in kind.__dataclass_fields__}
    functions = [item for item in emea.of_type("AWS::Lambda::Function").values() if "Environment" in item]
    (container,) = emea.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]

    assert len(RIGHTS) + len(schedules()) + len(queue_readers()) == len(functions)
    for function in functions:
        ours = {name for name in function["Environment"]["Variables"] if name.startswith("SIPGW_")}
        assert set() == ours - known
    assert {"AWS_DEFAULT_REGION"} == {item["Name"] for item in container["Environment"]} - edges


def test_functions_run_as_they_were_built(emea: Templates) -> None:
    for function in emea.of_type("AWS::Lambda::Function").values():
        assert ["arm64"] == function["Architectures"]
        assert "Active" == function["TracingConfig"]["Mode"]


def test_every_log_ends_some_day(templates: Templates) -> None:
    groups = templates.of_type("AWS::Logs::LogGroup")

    assert len(groups) >= 9
    assert {templates.region.functions.log_retention_days} == {group["RetentionInDays"] for group in groups.values()}


def test_every_alarm_tells_somebody_and_has_its_place_in_the_runbook(templates: Templates) -> None:
    runbook = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
    prefix = f"{templates.region.prefix}-"
    alarms = [
        item for item in templates.of_type("AWS::CloudWatch::Alarm").values() if item.get("AlarmDescription", "").count("#")
    ]

    assert len(alarms) >= 20
    for alarm in alarms:
        anchor = anchor_of(alarm["AlarmName"].removeprefix(prefix))
        assert alarm["AlarmActions"]
        assert alarm["AlarmDescription"].endswith(f"{templates.region.watch.runbook_url}#{anchor}")
        assert f'<a id="{anchor}"></a>' in runbook


def test_alarms_can_be_told(emea: Templates) -> None:
    """CloudWatch needs rights on the key of an encrypted topic, which AWS's own key for SNS does not give."""
    (key,) = emea.of_type("AWS::KMS::Key").values()
    allowed = [item for item in key["KeyPolicy"]["Statement"] if item["Principal"].get("Service") == "cloudwatch.amazonaws.com"]

    assert [{"kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"}] == [
        set(item["Action"]) for item in allowed
    ]
    assert key["EnableKeyRotation"]


def test_the_hosts_take_tls_1_2_and_no_other_way_leads_in(emea: Templates) -> None:
    domains = emea.of_type("AWS::ApiGateway::DomainName").values()

    assert {"TLS_1_2"} == {item["SecurityPolicy"] for item in domains}
    assert {emea.region.hosts.phones, emea.region.hosts.people} == {item["DomainName"] for item in domains}
    assert emea.only("AWS::ApiGateway::RestApi")["DisableExecuteApiEndpoint"]
