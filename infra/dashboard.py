"""One page that says how a region is: phones and people in the first rows, machinery below."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.alarms import Alarms
from infra.api import Api
from infra.edge import Edge
from infra.functions import Functions, Surroundings
from infra.region import Region

_MINUTE = cdk.Duration.minutes(1)
_HALF = 12
_WHOLE = 24


class Dashboard(Construct):
    """`add` takes each part of the region."""

    def __init__(self, scope: Construct, region: Region) -> None:
        super().__init__(scope, "Dashboard")
        self._page = cloudwatch.Dashboard(self, "Page", dashboard_name=region.prefix, default_interval=cdk.Duration.hours(6))

    def show_alarms(self, alarms: Alarms) -> None:
        """All of them in one widget."""
        self._page.add_widgets(
            cloudwatch.AlarmStatusWidget(alarms=list(alarms.all.values()), width=_WHOLE, height=4, title="Alarms")
        )

    def show_edge(self, edge: Edge) -> None:
        """Connected phones, and the tasks that hold them."""
        flows = edge.balancer.metrics.active_flow_count(period=_MINUTE, statistic="Average")
        fresh = edge.balancer.metrics.new_flow_count(period=_MINUTE)
        healthy = edge.target_group.metrics.healthy_host_count(period=_MINUTE, statistic="Average")
        load = [edge.service.metric_cpu_utilization(), edge.service.metric_memory_utilization()]
        self._page.add_widgets(
            _graph("Connected phones", [flows], [healthy]), _graph("New connections a minute", [fresh], load)
        )

    def show_api(self, api: Api) -> None:
        """Requests, their errors and times."""
        rest = api.rest
        counts = [rest.metric_count(), rest.metric_client_error(), rest.metric_server_error()]
        times = [rest.metric_latency(statistic=statistic) for statistic in ("p50", "p90", "p99")]
        self._page.add_widgets(_graph("Requests", counts), _graph("Milliseconds", times))

    def show_functions(self, functions: Functions) -> None:
        """How often, how long, and what went wrong."""
        every = functions.by_name.values()
        self._page.add_widgets(
            _graph("Function calls", [item.metric_invocations() for item in every], [item.metric_errors() for item in every]),
            _graph("Function milliseconds, p99", [item.metric_duration(statistic="p99") for item in every]),
        )

    def show_store(self, around: Surroundings) -> None:
        """What the tables are used for, and what waits."""
        used = [
            cloudwatch.Metric(
                namespace="AWS/DynamoDB",
                metric_name=f"Consumed{kind}CapacityUnits",
                dimensions_map={"TableName": around.data.region_table.table_name},
                statistic="Sum",
            )
            for kind in ("Read", "Write")
        ]
        waiting = [
            queue.metric_approximate_number_of_messages_visible() for queue in (around.queues.work, around.queues.failed)
        ]
        self._page.add_widgets(_graph("Table of the region: units", used), _graph("Messages that wait", waiting))


def _graph(title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), right=list(right), width=_HALF, height=6)
