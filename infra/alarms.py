"""Alarms: each has a name, and under that name the runbook says what to look at and what to do."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api import Api
from infra.edge import Edge
from infra.firewall import Firewall
from infra.functions import Functions, Surroundings
from infra.region import Region

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
FIVE_MINUTES = cdk.Duration.minutes(5)
METRICS = "SipGateway"
FAMILIES = ("function-errors", "function-throttles", "store-throttled")  # one place in the runbook for all of a family


def anchor_of(name: str) -> str:
    """Where the runbook tells of an alarm."""
    return next((family for family in FAMILIES if name.startswith(family)), name)


class Alarms(Construct):
    """`all` are the alarms, by name."""

    def __init__(self, scope: Construct, region: Region) -> None:
        super().__init__(scope, "Alarms")
        self._region = region
        self.all: dict[str, cloudwatch.Alarm] = {}
        # A key of its own: CloudWatch may not use the one that AWS keeps for SNS, and its alarms would be lost in silence.
        key = kms.Key(self, "Key", description="Alarms on their way", enable_key_rotation=True)
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        topic = sns.Topic(self, "Topic", topic_name=f"{region.prefix}-alarms", enforce_ssl=True, master_key=key)
        topic.add_subscription(subscriptions.EmailSubscription(region.watch.alarm_email))
        self._tell = actions.SnsAction(topic)

    def watch_api(self, api: Api, firewall: Firewall) -> None:
        """Errors and slowness as phones and people see them, strangers, and the certificate's end."""
        failed = api.rest.metric_server_error(period=FIVE_MINUTES, statistic="Sum")
        count = api.rest.metric_count(period=FIVE_MINUTES, statistic="Sum")
        share = cloudwatch.MathExpression(
            expression="100 * failed / count", using_metrics={"failed": failed, "count": count}, period=FIVE_MINUTES
        )
        self._add("api-errors", share, 1, "More than 1 % of requests end with a 5xx", periods=2)
        slow = api.rest.metric_latency(period=FIVE_MINUTES, statistic="p99")
        self._add("api-slow", slow, 3000, "One request in a hundred takes longer than 3 seconds", periods=3)
        refused = cloudwatch.Metric(
            namespace="AWS/WAFV2",
            metric_name="BlockedRequests",
            dimensions_map={"WebACL": self._region.prefix, "Region": self._region.aws_region, "Rule": "ALL"},
            period=FIVE_MINUTES,
            statistic="Sum",
        )
        self._add("strangers", refused, 5000, f"The firewall {firewall.metric_name} refuses many requests", periods=3)
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", self._region.hosts.certificate_arn)
        days = certificate.metric_days_to_expiry(period=cdk.Duration.days(1))
        self._add("certificate-ends", days, 20, "The certificate of the hosts ends within 20 days", comparison=BELOW)

    def watch_functions(self, functions: Functions, around: Surroundings) -> None:
        """Errors, refused starts, work that failed or waits, and schedules that do not run."""
        for name, function in functions.by_name.items():
            shown = name.replace("_", "-")
            errors = function.metric_errors(period=FIVE_MINUTES, statistic="Sum")
            self._add(f"function-errors-{shown}", errors, 0, f"The function {shown} ended with an error", periods=2)
            throttles = function.metric_throttles(period=FIVE_MINUTES, statistic="Sum")
            self._add(f"function-throttles-{shown}", throttles, 0, f"The function {shown} was refused a start", periods=2)
        sync = functions.by_name["sync_policy"].metric_invocations(period=cdk.Duration.hours(1), statistic="Sum")
        missing = cloudwatch.TreatMissingData.BREACHING
        self._add("sync-missing", sync, 1, "The policy sync did not run", periods=3, comparison=BELOW, missing=missing)
        rotation = functions.rotation.metric_errors(period=FIVE_MINUTES, statistic="Sum")
        self._add("rotation-failed", rotation, 0, "The edge credential was not rotated")
        failed = around.queues.failed.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")
        self._add("work-failed", failed, 0, "Work was given up after its tries")
        late = around.queues.work.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum")
        self._add("work-late", late, 900, "Work waits for more than 15 minutes", periods=2)

    def watch_tables(self, around: Surroundings) -> None:
        """DynamoDB refuses or fails."""
        for name, table in (("region", around.data.region_table), ("directory", around.data.directory_table)):
            throttled = _refused(table)
            self._add(f"store-throttled-{name}", throttled, 10, f"The table {name} refuses requests", periods=2)

    def watch_edge(self, edge: Edge) -> None:
        """Missing, busy or full edges, and lost events."""
        fewest = self._region.edge.fewest
        healthy = edge.target_group.metrics.healthy_host_count(period=cdk.Duration.minutes(1), statistic="Minimum")
        missing = cloudwatch.TreatMissingData.BREACHING
        self._add(
            "edge-missing", healthy, fewest, f"Fewer than {fewest} edges answer", periods=3, comparison=BELOW, missing=missing
        )
        busy = edge.service.metric_cpu_utilization(period=FIVE_MINUTES, statistic="Average")
        self._add("edge-busy", busy, 80, "Edges use more than 80 % of their processors", periods=3)
        memory = edge.service.metric_memory_utilization(period=FIVE_MINUTES, statistic="Maximum")
        self._add("edge-memory", memory, 85, "An edge uses more than 85 % of its memory", periods=3)
        full = self._region.edge.phones_per_task * 1.2
        self._add("edge-full", edge.flows_per_task, full, "Edges hold more phones than they should", periods=10)
        shed = logs.MetricFilter(
            self,
            "EventsShed",
            log_group=edge.log,
            filter_pattern=logs.FilterPattern.string_value("$.event", "=", "events_shed"),
            metric_namespace=METRICS,
            metric_name=f"EventsShed-{self._region.name}",
            metric_value="1",
            default_value=0,
        )
        lost = shed.metric(period=FIVE_MINUTES, statistic="Sum")
        self._add("edge-events-shed", lost, 0, "An edge dropped events that it could not deliver")

    def _add(  # noqa: PLR0913 - an alarm is these
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        says: str,
        *,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = ABOVE,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._region.prefix}-{name}",
            alarm_description=f"{says}. {self._region.watch.runbook_url}#{anchor_of(name)}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._tell)
        alarm.add_ok_action(self._tell)
        self.all[name] = alarm


def _refused(table: dynamodb.ITableV2) -> cloudwatch.IMetric:
    parts = {
        kind.lower(): cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name=f"{kind}ThrottleEvents",
            dimensions_map={"TableName": table.table_name},
            period=FIVE_MINUTES,
            statistic="Sum",
        )
        for kind in ("Read", "Write")
    }
    return cloudwatch.MathExpression(
        expression="FILL(read, 0) + FILL(write, 0)", using_metrics=parts, period=FIVE_MINUTES, label="refused"
    )
