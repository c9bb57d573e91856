"""The region's network: two zones with public subnets for the edges, and nothing that costs money while it stands idle.

Functions run outside of it and reach AWS and Entra ID over Lambda's own way out. Edges have public addresses: media goes
straight to them, and they reach the functions, ECR and AWS over them. With `fixed_egress` two private subnets with NAT gateways
are added for the functions that talk to Entra ID.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.region import Region, Trunk

HTTPS = 443
SIP_TLS = 5061
TRUNK = 5062  # as in sip_edge/agent/settings.py
MEDIA = (49152, 53247)
BETWEEN_EDGES = 5060
ADDRESSES = "10.0.0.0/16"


class Network(Construct):
    """The VPC, the security groups, and the addresses that outsiders may let through."""

    def __init__(self, scope: Construct, region: Region, retention: logs.RetentionDays) -> None:
        super().__init__(scope, "Network")
        zones = region.availability_zones
        self.sip_addresses = [ec2.CfnEIP(self, f"SipAddress{index}", domain="vpc") for index in range(len(zones))]
        fixed = region.functions.fixed_egress
        self.nat_addresses = (
            [ec2.CfnEIP(self, f"NatAddress{index}", domain="vpc") for index in range(len(zones))] if fixed else []
        )
        public = ec2.SubnetConfiguration(name="edge", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=22)
        private = ec2.SubnetConfiguration(name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=22)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(ADDRESSES),
            availability_zones=list(zones),
            nat_gateways=len(zones) if fixed else 0,
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[item.attr_allocation_id for item in self.nat_addresses]
            )
            if fixed
            else None,
            subnet_configuration=[public, private] if fixed else [public],
            restrict_default_security_group=False,  # would be a function of its own; nothing here uses that group
        )
        self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        self._log_flows(retention)
        self.balancer_group = ec2.SecurityGroup(
            self, "BalancerGroup", vpc=self.vpc, description="SIP over TLS from phones", allow_all_outbound=False
        )
        self.edge_group = ec2.SecurityGroup(self, "EdgeGroup", vpc=self.vpc, description="SIP edges")
        self._open_ports()
        if region.trunk:
            self._open_trunk(region.trunk)

    def _open_ports(self) -> None:
        anywhere = ec2.Peer.any_ipv4()
        self.balancer_group.add_ingress_rule(anywhere, ec2.Port.tcp(SIP_TLS), "SIP over TLS")
        self.balancer_group.add_egress_rule(self.edge_group, ec2.Port.tcp(SIP_TLS), "to the edges")
        self.edge_group.add_ingress_rule(self.balancer_group, ec2.Port.tcp(SIP_TLS), "SIP over TLS, through the load balancer")
        self.edge_group.add_ingress_rule(anywhere, ec2.Port.udp_range(*MEDIA), "media")
        self.edge_group.add_ingress_rule(self.edge_group, ec2.Port.tcp(BETWEEN_EDGES), "SIP between edges")

    def _open_trunk(self, trunk: Trunk) -> None:
        for network in trunk.networks:
            self.balancer_group.add_ingress_rule(ec2.Peer.ipv4(network), ec2.Port.tcp(TRUNK), "trunk")
        self.balancer_group.add_egress_rule(self.edge_group, ec2.Port.tcp(TRUNK), "trunk to the edges")
        self.edge_group.add_ingress_rule(self.balancer_group, ec2.Port.tcp(TRUNK), "trunk, through the load balancer")

    def _log_flows(self, retention: logs.RetentionDays) -> None:
        """Refused packets only: who knocks where nothing is open."""
        group = logs.LogGroup(self, "RefusedPackets", retention=retention, removal_policy=cdk.RemovalPolicy.DESTROY)
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    @property
    def egress_addresses(self) -> list[str]:
        """What a firewall and Conditional Access must let through: where phones register, and whence Entra ID is called."""
        return [item.attr_public_ip for item in (*self.sip_addresses, *self.nat_addresses)]
