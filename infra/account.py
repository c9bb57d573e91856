"""The region's AWS account: credentials, the bucket of artefacts, stacks. Every call to AWS of the deployment is here."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra.region import PLACEHOLDER_ACCOUNT, Region

POLL_SECONDS = 5
_TIME = (1980, 1, 1, 0, 0, 0)
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class Refused(RuntimeError):
    """The deployment cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Change:
    """One line of a change set: what happens to which resource; `replaces` where it is made anew."""

    action: str
    kind: str
    name: str
    replaces: bool


class Account:
    """Clients for the region's account; every method raises Refused where AWS says no."""

    def __init__(self, region: Region, *, poll_seconds: float = POLL_SECONDS) -> None:
        session = boto3.Session(region_name=region.aws_region)
        self._clients: dict[str, Any] = {
            name: session.client(name) for name in ("cloudformation", "cloudwatch", "elbv2", "s3", "sts")
        }
        self._region = region
        self._poll_seconds = poll_seconds
        self.bucket = f"sipgw-artefacts-{region.account}-{region.aws_region}"

    def check(self) -> None:
        """Raises Refused where there are no credentials, or where they are another account's."""
        region = self._region
        if region.account == PLACEHOLDER_ACCOUNT:
            raise Refused(f"infra/regions/{region.name}.toml still has the account {PLACEHOLDER_ACCOUNT}: put in your own.")
        try:
            account = self._clients["sts"].get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise Refused(
                f"AWS did not accept this shell's credentials ({error}). Sign in first, for example `aws sso login` and "
                "AWS_PROFILE=…; nothing else is needed: neither the CDK command line nor a bootstrapped account."
            ) from None
        if account != region.account:
            raise Refused(f"The credentials belong to account {account}; {region.name} is deployed to {region.account}.")

    # --- artefacts -------------------------------------------------------------------------------------------------------

    def make_bucket(self) -> None:
        """Makes the bucket of artefacts where it is missing: private, encrypted, with versions."""
        s3 = self._clients["s3"]
        try:
            s3.head_bucket(Bucket=self.bucket)
        except ClientError:
            where = {"LocationConstraint": self._region.aws_region}
            extra = {} if self._region.aws_region == "us-east-1" else {"CreateBucketConfiguration": where}
            s3.create_bucket(Bucket=self.bucket, **extra)
        everything = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
        s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=everything)
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        policy = {"Version": "2012-10-17", "Statement": [_only_tls(self.bucket)]}
        s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def publish(self, assembly: Path) -> None:
        """Uploads what the templates name (the zips, and the templates themselves), each once: its key is its digest."""
        for manifest in sorted(assembly.glob("*.assets.json")):
            for asset in json.loads(manifest.read_text(encoding="utf-8"))["files"].values():
                path = assembly / asset["source"]["path"]
                for destination in asset["destinations"].values():
                    self._upload(path, destination["objectKey"])

    def _upload(self, path: Path, key: str) -> None:
        s3 = self._clients["s3"]
        try:
            s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError:
            body = _zip_of(path) if path.is_dir() else path.read_bytes()
            s3.put_object(Bucket=self.bucket, Key=key, Body=body, ServerSideEncryption="AES256")

    def keep(self, key: str, value: Any) -> None:
        """Keeps a JSON document beside the artefacts."""
        text = json.dumps(value, indent=1)
        self._clients["s3"].put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ServerSideEncryption="AES256")

    def kept(self, prefix: str) -> list[Any]:
        """All JSON documents whose keys begin with `prefix`, in the order of their keys."""
        s3 = self._clients["s3"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = sorted(item["Key"] for page in pages for item in page.get("Contents", []))
        return [json.loads(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]

    # --- stacks ----------------------------------------------------------------------------------------------------------

    def plan(self, stack: str, template_key: str) -> str | None:
        """A change set for the stack; None where it would change nothing."""
        cloudformation = self._clients["cloudformation"]
        kind = "UPDATE" if self._status(stack) not in {None, "REVIEW_IN_PROGRESS"} else "CREATE"
        made = cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"sipgw-{int(time.time() * 1000)}",
            ChangeSetType=kind,
            TemplateURL=f"https://s3.{self._region.aws_region}.amazonaws.com/{self.bucket}/{template_key}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "sip-gateway", "Value": self._region.name}],
        )
        arn = str(made["Id"])
        while True:
            state = cloudformation.describe_change_set(ChangeSetName=arn, StackName=stack)
            if state["Status"] == "CREATE_COMPLETE":
                return arn
            if state["Status"] == "FAILED":
                reason = state.get("StatusReason", "")
                cloudformation.delete_change_set(ChangeSetName=arn, StackName=stack)
                if any(words in reason for words in _NOTHING_TO_DO):
                    return None
                raise Refused(f"{stack}: CloudFormation refuses the template: {reason}")
            time.sleep(self._poll_seconds)

    def changes(self, stack: str, change_set: str) -> Iterator[Change]:
        """What a change set would do."""
        pages = self._clients["cloudformation"].get_paginator("describe_change_set")
        for page in pages.paginate(ChangeSetName=change_set, StackName=stack):
            for item in page["Changes"]:
                change = item["ResourceChange"]
                replaces = change.get("Replacement") in {"True", "Conditional"}
                yield Change(change["Action"], change["ResourceType"], change["LogicalResourceId"], replaces)

    def drop(self, stack: str, change_set: str) -> None:
        """Forgets a change set; and the stack, where it was never made."""
        cloudformation = self._clients["cloudformation"]
        cloudformation.delete_change_set(ChangeSetName=change_set, StackName=stack)
        if self._status(stack) == "REVIEW_IN_PROGRESS":
            cloudformation.delete_stack(StackName=stack)

    def execute(self, stack: str, change_set: str, *, protect: bool = False) -> Mapping[str, str]:
        """Carries a change set out and waits; CloudFormation takes everything back where a step fails. The stack's outputs."""
        cloudformation = self._clients["cloudformation"]
        kind = "stack_create_complete" if self._status(stack) == "REVIEW_IN_PROGRESS" else "stack_update_complete"
        cloudformation.execute_change_set(ChangeSetName=change_set, StackName=stack)
        try:
            cloudformation.get_waiter(kind).wait(
                StackName=stack, WaiterConfig={"Delay": self._poll_seconds, "MaxAttempts": 1000}
            )
        except WaiterError:
            raise Refused(f"{stack} was not changed: {'; '.join(self._failures(stack))}") from None
        if protect:
            cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        return self.outputs(stack)

    def outputs(self, stack: str) -> dict[str, str]:
        """What the stack says of itself."""
        found = self._clients["cloudformation"].describe_stacks(StackName=stack)["Stacks"][0]
        return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}

    def delete(self, stack: str) -> None:
        """Deletes a stack and waits. Its load balancer is unlocked first."""
        cloudformation = self._clients["cloudformation"]
        if self._status(stack) is None:
            raise Refused(f"There is no stack {stack} in this account.")
        resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for page in resources:
            for item in page["StackResourceSummaries"]:
                if item["ResourceType"] == "AWS::ElasticLoadBalancingV2::LoadBalancer":
                    self._clients["elbv2"].modify_load_balancer_attributes(
                        LoadBalancerArn=item["PhysicalResourceId"],
                        Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
                    )
        cloudformation.delete_stack(StackName=stack)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack)
        except WaiterError:
            raise Refused(f"{stack} is still there: {'; '.join(self._failures(stack))}") from None

    def alarms(self) -> list[str]:
        """Names of the region's alarms that ring."""
        pages = self._clients["cloudwatch"].get_paginator("describe_alarms")
        found = pages.paginate(AlarmNamePrefix=f"{self._region.prefix}-", StateValue="ALARM")
        return [item["AlarmName"] for page in found for item in page["MetricAlarms"]]

    def _status(self, stack: str) -> str | None:
        try:
            found = self._clients["cloudformation"].describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise Refused(f"{stack}: {error}") from None
        return str(found[0]["StackStatus"]) if found else None

    def _failures(self, stack: str) -> list[str]:
        events = self._clients["cloudformation"].describe_stack_events(StackName=stack)["StackEvents"]
        failed = [item for item in events if item["ResourceStatus"].endswith("_FAILED")]
        return [f"{item['LogicalResourceId']}: {item.get('ResourceStatusReason', '')}" for item in failed[:5]] or [
            "no reason given"
        ]


def _only_tls(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _zip_of(folder: Path) -> bytes:
    """A folder as a zip, the same bytes for the same files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
                entry.external_attr = 0o644 << 16
                package.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target.getvalue()
