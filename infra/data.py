"""What must outlive every deployment: the tables and the secrets. A stack of its own, protected from deletion."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from chalicelib.adapters.dynamodb.models import StoredItem
from chalicelib.adapters.records import LISTING_INDEX
from infra.region import Region

_KEY_LENGTH = 64
STRING = dynamodb.AttributeType.STRING


class DataStack(cdk.Stack):
    """Two tables, three secrets."""

    def __init__(self, scope: Construct, region: Region, **stack: object) -> None:
        super().__init__(scope, "data", stack_name=f"{region.prefix}-data", termination_protection=True, **stack)  # type: ignore[arg-type]
        self.region_table = _table(self, "RegionTable", region.region_table, listing=True)
        self.directory_table = self._directory_table(region)
        # The region's key derives every token and password: it is made once and never changed.
        self.region_key = _secret(
            self, "RegionKey", f"{region.prefix}/region-key", "region_key", "Derives tokens and passwords"
        )
        self.edge_credentials = _secret(
            self,
            "EdgeCredentials",
            f"{region.prefix}/edge-credentials",
            "edge_credentials",
            "What the edges show the functions",
        )
        self.entra_secret = _secret(
            self,
            "EntraSecret",
            f"{region.prefix}/entra",
            "entra_client_secret",
            "Of the app registration; put in by the operator",
        )

    def _directory_table(self, region: Region) -> dynamodb.ITableV2:
        if region.directory.table == "copy":
            return dynamodb.TableV2.from_table_name(self, "DirectoryTable", region.directory_table)
        return _table(self, "DirectoryTable", region.directory_table, replicas=region.directory.replicas)


def _table(
    scope: Construct, name: str, table_name: str, *, listing: bool = False, replicas: tuple[str, ...] = ()
) -> dynamodb.TableV2:
    """Keys and their names are those of the store's adapter (chalicelib/adapters/dynamodb/models.py)."""
    index = dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=LISTING_INDEX,
        partition_key=dynamodb.Attribute(name=StoredItem.listing_partition.attr_name, type=STRING),
        sort_key=dynamodb.Attribute(name=StoredItem.listing_sort.attr_name, type=STRING),
    )
    return dynamodb.TableV2(
        scope,
        name,
        table_name=table_name,
        partition_key=dynamodb.Attribute(name=StoredItem.partition.attr_name, type=STRING),
        sort_key=dynamodb.Attribute(name=StoredItem.sort.attr_name, type=STRING),
        global_secondary_indexes=[index] if listing else None,
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
        time_to_live_attribute=StoredItem.expires_at.attr_name,
        deletion_protection=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
        replicas=[dynamodb.ReplicaTableProps(region=other) for other in replicas] or None,
    )


def _secret(scope: Construct, name: str, secret_name: str, key: str, description: str) -> secretsmanager.Secret:
    """A JSON object whose one value Secrets Manager makes up: it is in no template and no log."""
    return secretsmanager.Secret(
        scope,
        name,
        secret_name=secret_name,
        description=description,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template="{}",  # noqa: S106 - a form without a secret
            generate_string_key=key,
            password_length=_KEY_LENGTH,
            exclude_punctuation=True,
        ),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
