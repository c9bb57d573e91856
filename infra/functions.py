"""The functions: one zip, a function for each group of callers and for each schedule, each with only the rights it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from chalicelib.adapters.records import LISTING_INDEX
from infra.data import DataStack
from infra.network import Network
from infra.package.build import Package
from infra.queues import WORK_SECONDS, Queues
from infra.region import Region
from infra.routes import handler_of, queue_readers, routes, schedules

API_SECONDS = 29  # API Gateway waits no longer
ROTATION = Path(__file__).parent / "rotation"
ROTATION_DAYS = 30
READ = ("GetItem", "BatchGetItem", "Query")
WRITE = ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
}


@dataclass(frozen=True)
class Rights:
    """What a function may do. All read and write the region's table and know its key."""

    writes_directory: bool = False
    knows_entra_secret: bool = False  # it talks to Entra ID, so it is behind fixed addresses where the region has them
    knows_edge_credentials: bool = False
    hands_on_work: bool = False


# A phone's token opens its own files alone: the function behind it neither changes the directory nor knows Entra's secret.
RIGHTS: Mapping[str, Rights] = {
    "phones": Rights(),
    "people": Rights(knows_entra_secret=True),
    "admin": Rights(writes_directory=True, knows_entra_secret=True, hands_on_work=True),
    "edge": Rights(writes_directory=True, knows_edge_credentials=True),
}
IN_THE_BACKGROUND = Rights(writes_directory=True, knows_entra_secret=True, hands_on_work=True)


@dataclass(frozen=True)
class Surroundings:
    """What the functions work with."""

    data: DataStack
    network: Network
    queues: Queues
    package: Package


class Functions(Construct):
    """`by_group` serve the API; `by_name` are all of them."""

    def __init__(self, scope: Construct, region: Region, around: Surroundings) -> None:
        super().__init__(scope, "Functions")
        self._region = region
        self._around = around
        groups = sorted({route.group for route in routes()})
        self.by_group = {name: self._function(name, handler_of(name), self._rights(name), API_SECONDS) for name in groups}
        self.by_name = dict(self.by_group)
        for schedule in schedules():
            function = self._function(schedule.name, schedule.handler, IN_THE_BACKGROUND, WORK_SECONDS)
            rule = events.Rule(function, "Clock", schedule=events.Schedule.expression(schedule.expression))
            rule.add_target(targets.LambdaFunction(function, retry_attempts=2))
            self.by_name[schedule.name] = function
        for reader in queue_readers():
            function = self._function(reader.name, reader.handler, IN_THE_BACKGROUND, WORK_SECONDS)
            function.add_event_source(sources.SqsEventSource(around.queues.work, batch_size=reader.batch_size))
            self.by_name[reader.name] = function
        self.rotation = self._rotation(around.data.edge_credentials)

    def _rights(self, group: str) -> Rights:
        """With users in Microsoft Graph the edges' function asks Graph whether a user still may call."""
        asks_graph = group == "edge" and self._region.directory.users == "graph"
        return replace(RIGHTS[group], knows_entra_secret=True) if asks_graph else RIGHTS[group]

    def _function(self, name: str, handler: str, rights: Rights, seconds: int) -> lambda_.Function:
        region, around = self._region, self._around
        group = self._log_group(name)
        role = self._role(name, group)
        self._allow(role, rights)
        behind_nat = region.functions.fixed_egress and rights.knows_entra_secret
        if behind_nat:
            _allow_network(role)
        return lambda_.Function(
            self,
            pascal(name),
            function_name=f"{region.prefix}-{name.replace('_', '-')}",
            code=lambda_.Code.from_asset(str(around.package.path)),
            runtime=lambda_.Runtime(around.package.interpreter.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            handler=handler,
            role=role,
            log_group=group,
            memory_size=region.functions.memory_mb,
            timeout=cdk.Duration.seconds(seconds),
            environment=self._environment(rights),
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=None if name in RIGHTS else around.queues.failed,
            vpc=around.network.vpc if behind_nat else None,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS) if behind_nat else None,
        )

    def _log_group(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            f"{pascal(name)}Log",
            log_group_name=f"/aws/lambda/{self._region.prefix}-{name.replace('_', '-')}",
            retention=RETENTION[self._region.functions.log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _role(self, name: str, group: logs.LogGroup) -> iam.Role:
        role = iam.Role(self, f"{pascal(name)}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(
                sid="OwnLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
            )
        )
        return role

    def _allow(self, role: iam.Role, rights: Rights) -> None:
        data, queues = self._around.data, self._around.queues
        region_arn, directory_arn = data.region_table.table_arn, data.directory_table.table_arn
        own = iam.PolicyStatement(sid="RegionTable", actions=_dynamodb(READ, WRITE), resources=[region_arn])
        listing = iam.PolicyStatement(
            sid="Listing", actions=["dynamodb:Query"], resources=[f"{region_arn}/index/{LISTING_INDEX}"]
        )
        directory = iam.PolicyStatement(
            sid="DirectoryTable",
            actions=_dynamodb(READ, WRITE if rights.writes_directory else ()),
            resources=[directory_arn],
        )
        secrets = iam.PolicyStatement(
            sid="Secrets",
            actions=["secretsmanager:GetSecretValue"],
            resources=[item.secret_arn for item in self._secrets(rights)],
        )
        commands = iam.PolicyStatement(sid="Commands", actions=["sns:Publish"], resources=[queues.commands.topic_arn])
        for statement in (own, listing, directory, secrets, commands):
            role.add_to_policy(statement)
        if rights.hands_on_work:
            role.add_to_policy(iam.PolicyStatement(sid="Work", actions=["sqs:SendMessage"], resources=[queues.work.queue_arn]))

    def _secrets(self, rights: Rights) -> list[secretsmanager.Secret]:
        data = self._around.data
        edges = [data.edge_credentials] if rights.knows_edge_credentials else []
        entra = [data.entra_secret] if rights.knows_entra_secret else []
        return [data.region_key, *edges, *entra]

    def _environment(self, rights: Rights) -> dict[str, str]:
        """The settings of chalicelib/settings.py."""
        region, around = self._region, self._around
        settings = {
            "region": region.name,
            "public_url": f"https://{region.hosts.phones}",
            "people_url": f"https://{region.hosts.people}",
            "sip_host": region.hosts.sip,
            "sip_second": region.hosts.sip_second,
            "registration_expiry_seconds": str(region.phones.registration_expiry_seconds),
            "store": "dynamodb",
            "region_table": region.region_table,
            "directory_table": region.directory_table,
            "directory": region.directory.users,
            "secrets_source": "secretsmanager:" + ",".join(item.secret_arn for item in self._secrets(rights)),
            "commands_link": f"sns:{around.queues.commands.topic_arn}",
            "entra_client_id": region.entra.client_id,
            "api_audience": region.entra.api_audience,
            "allowed_tenants": ",".join(region.entra.allowed_tenants),
            "ntp_servers": ",".join(region.phones.ntp_servers),
            "firmware_mirror_url": region.phones.firmware_mirror_url,
            "egress_addresses": ",".join(around.network.egress_addresses),
            "log_level": region.functions.log_level,
        }
        if rights.hands_on_work:
            settings["work_queue"] = f"sqs:{around.queues.work.queue_url}"
        variables = {f"SIPGW_{name.upper()}": value for name, value in settings.items()}
        return {**variables, "POWERTOOLS_LOG_LEVEL": region.functions.log_level}

    def _rotation(self, secret: secretsmanager.Secret) -> lambda_.Function:
        """The function that Secrets Manager calls; the permission and the schedule go with the secret's ARN."""
        group = self._log_group("rotation")
        function = lambda_.Function(
            self,
            "Rotation",
            function_name=f"{self._region.prefix}-rotation",
            code=lambda_.Code.from_asset(str(ROTATION), exclude=["__pycache__"]),
            runtime=lambda_.Runtime(self._around.package.interpreter.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            handler="rotate.rotate",
            role=self._rotation_role(secret, group),
            log_group=group,
            timeout=cdk.Duration.seconds(30),
            tracing=lambda_.Tracing.ACTIVE,
        )
        permission = lambda_.CfnPermission(
            self,
            "RotationByManager",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=self._region.account,
        )
        rotation = secretsmanager.CfnRotationSchedule(
            self,
            "RotationSchedule",
            secret_id=secret.secret_arn,
            rotation_lambda_arn=function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(automatically_after_days=ROTATION_DAYS),
        )
        rotation.add_resource_dependency(permission)
        return function

    def _rotation_role(self, secret: secretsmanager.Secret, group: logs.LogGroup) -> iam.Role:
        role = self._role("rotation", group)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="EdgeCredentials",
                actions=[
                    f"secretsmanager:{name}"
                    for name in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
                ],
                resources=[secret.secret_arn],
            )
        )
        # It makes random text and touches nothing: AWS knows no resource for it.
        role.add_to_policy(iam.PolicyStatement(sid="Random", actions=["secretsmanager:GetRandomPassword"], resources=["*"]))
        return role


def _dynamodb(*kinds: tuple[str, ...]) -> list[str]:
    return [f"dynamodb:{name}" for kind in kinds for name in kind]


def _allow_network(role: iam.Role) -> None:
    """A function inside a network makes its own interface; AWS knows no resource for these calls."""
    actions = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface")
    role.add_to_policy(iam.PolicyStatement(sid="Network", actions=[f"ec2:{name}" for name in actions], resources=["*"]))


def pascal(name: str) -> str:
    """`sync_policy` as CloudFormation names things: SyncPolicy."""
    return "".join(word.capitalize() for word in name.split("_"))
