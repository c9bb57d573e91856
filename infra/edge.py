"""The SIP edge on Fargate, behind a network load balancer that passes TCP 5061 through: TLS ends in Kamailio.

Media goes straight to a task's public address: a load balancer has no port ranges.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.functions import RETENTION, Surroundings
from infra.network import ADDRESSES, SIP_TLS, TRUNK
from infra.region import OPEN_FILES, Region, Trunk

USER = "10001"  # of the image
CONTAINER = "edge"
DRAIN_SECONDS = 300
STOP_SECONDS = 120  # the most that Fargate waits; the agent delivers its events meanwhile
WRITABLE = {"run": "/run/sip-edge", "state": "/var/lib/sip-edge", "scratch": "/tmp"}  # noqa: S108 - the container's own
BUSY_PERCENT = 60
IDLE_SHARE = 0.3


class Edge(Construct):
    """The service with its load balancer. `flows_per_task` is how many phones a task holds."""

    def __init__(self, scope: Construct, region: Region, around: Surroundings) -> None:
        super().__init__(scope, "Edge")
        self._region = region
        self._around = around
        self.log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/sip-gateway/{region.name}/edge",
            retention=RETENTION[region.functions.log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.service = self._service()
        self.balancer = self._balancer()
        self.target_group = self._target_group("Sips", "Edges", SIP_TLS)
        if region.trunk:
            trunk = self._target_group("Trunk", "TrunkEdges", TRUNK)
            # What belongs to a peer's call comes to the edge that has the call, over a new connection too.
            trunk.set_attribute("stickiness.enabled", "true")
            trunk.set_attribute("stickiness.type", "source_ip")
        self.flows_per_task = self._flows_per_task()
        self._scale()

    def _service(self) -> ecs.FargateService:
        network = self._around.network
        cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=f"{self._region.prefix}-edge",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        return ecs.FargateService(
            self,
            "Service",
            service_name="edge",
            cluster=cluster,
            task_definition=self._task(),
            desired_count=self._region.edge.fewest,
            assign_public_ip=True,  # media, and the way to the functions without a NAT gateway
            security_groups=[network.edge_group],
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=cdk.Duration.seconds(60),
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        )

    def _task(self) -> ecs.FargateTaskDefinition:
        edge = self._region.edge
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"{self._region.prefix}-edge",
            cpu=edge.cpu,
            memory_limit_mib=edge.memory_mb,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            volumes=[ecs.Volume(name=name) for name in WRITABLE],
        )
        self._allow(task)
        container = task.add_container(
            CONTAINER,
            image=ecs.ContainerImage.from_registry(edge.image),
            user=USER,
            readonly_root_filesystem=True,
            environment=self._environment(),
            secrets=self._certificates(),
            port_mappings=[ecs.PortMapping(container_port=port, protocol=ecs.Protocol.TCP) for port in self._ports()],
            stop_timeout=cdk.Duration.seconds(STOP_SECONDS),
            health_check=ecs.HealthCheck(
                command=["CMD", "python3", "-m", "sip_edge.agent.health"], start_period=cdk.Duration.seconds(30)
            ),
            logging=ecs.LogDrivers.aws_logs(stream_prefix="edge", log_group=self.log),
        )
        container.add_ulimits(ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=OPEN_FILES, hard_limit=OPEN_FILES))
        for name, path in WRITABLE.items():
            container.add_mount_points(ecs.MountPoint(source_volume=name, container_path=path, read_only=False))
        return task

    def _certificates(self) -> dict[str, ecs.Secret]:
        """What the image's entry point makes files of."""
        trunk = self._region.trunk
        arns = {"TLS": self._region.edge.certificate_secret_arn, "TRUNK": trunk.certificate_secret_arn if trunk else ""}
        secrets: dict[str, ecs.Secret] = {}
        for name, arn in arns.items():
            if arn:
                place = "Certificate" if name == "TLS" else "TrunkCertificate"
                secret = secretsmanager.Secret.from_secret_complete_arn(self, place, arn)
                secrets[f"EDGE_{name}_CERTIFICATE_PEM"] = ecs.Secret.from_secrets_manager(secret, "certificate")
                secrets[f"EDGE_{name}_KEY_PEM"] = ecs.Secret.from_secrets_manager(secret, "key")
        return secrets

    def _ports(self) -> tuple[int, ...]:
        return (SIP_TLS, TRUNK) if self._region.trunk else (SIP_TLS,)

    def _allow(self, task: ecs.FargateTaskDefinition) -> None:
        """The running edge: its credential, its queue. Starting it (image, log, certificate) is another role."""
        self._around.queues.grant_edge(task.task_role)
        task.task_role.add_to_principal_policy(
            iam.PolicyStatement(
                sid="Credential",
                actions=["secretsmanager:GetSecretValue"],
                resources=[self._around.data.edge_credentials.secret_arn],
            )
        )
        repository = self._repository_arn()
        if repository:
            pull = ("BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability")
            role = task.obtain_execution_role()
            role.add_to_principal_policy(
                iam.PolicyStatement(sid="Image", actions=[f"ecr:{name}" for name in pull], resources=[repository])
            )
            role.add_to_principal_policy(  # a token for the registry as a whole: AWS knows no resource for it
                iam.PolicyStatement(sid="ImageToken", actions=["ecr:GetAuthorizationToken"], resources=["*"])
            )

    def _repository_arn(self) -> str | None:
        """Of an image in ECR, such as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/sip-edge@sha256:…; None elsewhere."""
        host, _, name = self._region.edge.image.partition("@")[0].partition("/")
        account, *rest = host.split(".")
        if rest[:2] != ["dkr", "ecr"]:
            return None
        return f"arn:{cdk.Aws.PARTITION}:ecr:{rest[2]}:{account}:repository/{name}"

    def _environment(self) -> dict[str, str]:
        """The settings of sip_edge/agent/settings.py. The edge's id is the task's: every task has its own queue."""
        region, around = self._region, self._around
        seconds = region.phones.registration_expiry_seconds
        return {
            "AWS_DEFAULT_REGION": region.aws_region,
            "EDGE_SIP_HOST": region.hosts.sip,
            "EDGE_SIP_SECOND": region.hosts.sip_second,
            "EDGE_LISTEN": "0.0.0.0",  # noqa: S104 - the task's own network
            "EDGE_FUNCTIONS_URL": f"https://{region.hosts.people}",
            "EDGE_CREDENTIAL_SECRET": around.data.edge_credentials.secret_arn,
            "EDGE_COMMANDS": f"sns:{around.queues.commands.topic_arn}",
            "EDGE_QUEUE_PREFIX": f"{region.prefix}-edge-",
            "EDGE_EXPIRES_DEFAULT": str(seconds),
            "EDGE_EXPIRES_MIN": str(min(seconds, 60)),
            "EDGE_EXPIRES_MAX": str(max(seconds, 300)),
            "EDGE_PRIVATE_NETWORKS": ADDRESSES,
            "EDGE_SHARED_MEMORY_MB": str(region.edge.shared_memory_mb),
            "EDGE_MAX_CONNECTIONS": str(region.edge.most_connections),
            **(_trunk_settings(region.trunk) if region.trunk else {}),
        }

    def _balancer(self) -> elb.NetworkLoadBalancer:
        network = self._around.network
        balancer = elb.NetworkLoadBalancer(
            self,
            "Balancer",
            vpc=network.vpc,
            internet_facing=True,
            cross_zone_enabled=True,
            deletion_protection=True,
            security_groups=[network.balancer_group],
        )
        raw = balancer.node.default_child
        if not isinstance(raw, elb.CfnLoadBalancer):
            raise TypeError("the load balancer has no resource of its own")
        raw.add_property_deletion_override("Subnets")
        raw.subnet_mappings = [
            elb.CfnLoadBalancer.SubnetMappingProperty(subnet_id=subnet.subnet_id, allocation_id=address.attr_allocation_id)
            for subnet, address in zip(network.vpc.public_subnets, network.sip_addresses, strict=True)
        ]
        return balancer

    def _target_group(self, listener_id: str, group_id: str, port: int) -> elb.NetworkTargetGroup:
        listener = self.balancer.add_listener(listener_id, port=port, protocol=elb.Protocol.TCP)
        group = listener.add_targets(
            group_id,
            port=port,
            protocol=elb.Protocol.TCP,
            preserve_client_ip=True,  # Kamailio limits each address, and tells the functions whence a phone came
            targets=[self.service.load_balancer_target(container_name=CONTAINER, container_port=port)],
            deregistration_delay=cdk.Duration.seconds(DRAIN_SECONDS),
            health_check=elb.HealthCheck(
                protocol=elb.Protocol.TCP,
                interval=cdk.Duration.seconds(10),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )
        # Phones keep a connection for ever: after the drain it is cut, and they come back to another task.
        group.set_attribute("deregistration_delay.connection_termination.enabled", "true")
        return group

    def _flows_per_task(self) -> cloudwatch.MathExpression:
        minute = cdk.Duration.minutes(1)
        return cloudwatch.MathExpression(
            expression="flows / healthy",
            using_metrics={
                "flows": self.balancer.metrics.active_flow_count(period=minute, statistic="Average"),
                "healthy": self.target_group.metrics.healthy_host_count(period=minute, statistic="Average"),
            },
            label="phones per task",
            period=minute,
        )

    def _scale(self) -> None:
        edge = self._region.edge
        tasks = self.service.auto_scale_task_count(min_capacity=edge.fewest, max_capacity=edge.most)
        # A task that ends takes its phones' connections along, so processor load adds tasks and never takes one away.
        tasks.scale_on_cpu_utilization("Busy", target_utilization_percent=BUSY_PERCENT, disable_scale_in=True)
        tasks.scale_on_metric(
            "Phones",
            metric=self.flows_per_task,
            adjustment_type=autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            cooldown=cdk.Duration.minutes(5),
            evaluation_periods=3,
            scaling_steps=[
                autoscaling.ScalingInterval(change=-1, upper=int(edge.phones_per_task * IDLE_SHARE)),
                autoscaling.ScalingInterval(change=1, lower=edge.phones_per_task),
            ],
        )


def _trunk_settings(trunk: Trunk) -> dict[str, str]:
    """Who signs the peers' certificates is whom the image's Debian trusts; the edges' own is handed over as a secret."""
    settings = {
        "EDGE_TRUNK_PEERS": ",".join(trunk.peers),
        "EDGE_TRUNK_PEER_NAMES": ",".join(trunk.peer_names),
        "EDGE_TRUNK_NETWORKS": ",".join(trunk.networks),
        "EDGE_TRUNK_NAME": trunk.name,
        "EDGE_TRUNK_PORT": str(TRUNK),
        "EDGE_TRUNK_MEDIA": trunk.media,
        "EDGE_EMERGENCY_PEERS": ",".join(trunk.emergency_peers),
    }
    return {name: value for name, value in settings.items() if value}
