"""The CDK app: for each region its stack of data, and the stack of everything that can be made anew.

They need nothing prepared in the account but a bucket for artefacts, which the deployment makes: no bootstrap, no roles of CDK.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk

from infra.acknowledgements import check_rules
from infra.alarms import Alarms
from infra.api import Api
from infra.dashboard import Dashboard
from infra.data import DataStack
from infra.edge import Edge
from infra.firewall import Firewall
from infra.functions import RETENTION, Functions, Surroundings
from infra.network import Network
from infra.package.build import ROOT, Package, build_package
from infra.queues import Queues
from infra.region import Region, load_region

SYNTHESISED = ROOT / "dist" / "cdk"
ARTEFACTS = "sipgw-artefacts-${AWS::AccountId}-${AWS::Region}"


class GatewayStack(cdk.Stack):
    """Everything of a region but its data."""

    def __init__(self, scope: cdk.Stage, region: Region, data: DataStack, package: Package, **stack: object) -> None:
        super().__init__(scope, "gateway", stack_name=region.prefix, **stack)  # type: ignore[arg-type]
        network = Network(self, region, RETENTION[region.functions.log_retention_days])
        around = Surroundings(data, network, Queues(self, region), package)
        functions = Functions(self, region, around)
        api = Api(self, region, functions)
        firewall = Firewall(self, region, api)
        edge = Edge(self, region, around)
        alarms = Alarms(self, region)
        alarms.watch_api(api, firewall)
        alarms.watch_functions(functions, around)
        alarms.watch_tables(around)
        alarms.watch_edge(edge)
        dashboard = Dashboard(self, region)
        dashboard.show_alarms(alarms)
        dashboard.show_edge(edge)
        dashboard.show_api(api)
        dashboard.show_functions(functions)
        dashboard.show_store(around)
        self._tell(region, network, api, edge)

    def _tell(self, region: Region, network: Network, api: Api, edge: Edge) -> None:
        """What the operator puts into DNS and firewalls."""
        for name, host in (("Phones", region.hosts.phones), ("People", region.hosts.people)):
            target = api.domains[name].domain_name_alias_domain_name
            cdk.CfnOutput(self, f"{name}Target", value=target, description=f"CNAME of {host}")
        cdk.CfnOutput(self, "SipTarget", value=edge.balancer.load_balancer_dns_name, description=f"CNAME of {region.hosts.sip}")
        cdk.CfnOutput(self, "EgressAddresses", value=",".join(network.egress_addresses), description="as in /v1/network")


class RegionStage(cdk.Stage):
    """One region in its account."""

    def __init__(self, scope: cdk.App, region: Region, package: Package) -> None:
        place = cdk.Environment(account=region.account, region=region.aws_region)
        super().__init__(scope, region.name, env=place)
        data = DataStack(self, region, synthesizer=_synthesizer())
        GatewayStack(self, region, data, package, synthesizer=_synthesizer())
        cdk.Tags.of(self).add("sip-gateway", region.name)


def _synthesizer() -> cdk.CliCredentialsStackSynthesizer:
    return cdk.CliCredentialsStackSynthesizer(file_assets_bucket_name=ARTEFACTS, qualifier="sipgw")


def synthesise(names: Sequence[str], output: Path = SYNTHESISED, package: Package | None = None) -> Path:
    """Writes the templates of the regions; where a rule of cdk-nag is broken without a reason given, raises RuntimeError."""
    regions = [load_region(name) for name in names]
    package = package or build_package()
    app = cdk.App(outdir=str(output), analytics_reporting=False)
    for region in regions:
        RegionStage(app, region, package)
    check_rules(app, regions)
    app.synth()
    return output
