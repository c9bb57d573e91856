"""Rotates the edge credential, a step a call, as Secrets Manager asks: its own function, with the runtime's boto3.

Two credentials are valid at a time and edges use the first. A rotation drops the first, so the second, which every function has
known since the rotation before, becomes the one in use; the new one waits behind it. No call fails meanwhile.

Source: AWS Secrets Manager User Guide, "Lambda rotation functions".
"""

from __future__ import annotations

import json
from typing import Any

import boto3

CREDENTIAL_LENGTH = 64
KEY = "edge_credentials"


def rotate(event: dict[str, str], context: object) -> None:
    """Carries out `event["Step"]` for the secret `event["SecretId"]` and the version `event["ClientRequestToken"]`."""
    del context
    client: Any = boto3.client("secretsmanager")
    steps = {"createSecret": create, "testSecret": check, "finishSecret": finish}
    step = steps.get(event["Step"])
    if step is not None:  # setSecret: nobody else holds the credential
        step(client, event["SecretId"], event["ClientRequestToken"])


def create(client: Any, secret_id: str, token: str) -> None:
    """Puts the next pair as the pending version; once, however often it is asked."""
    try:
        client.get_secret_value(SecretId=secret_id, VersionId=token, VersionStage="AWSPENDING")
    except client.exceptions.ResourceNotFoundException:
        current = json.loads(client.get_secret_value(SecretId=secret_id, VersionStage="AWSCURRENT")["SecretString"])
        fresh = client.get_random_password(PasswordLength=CREDENTIAL_LENGTH, ExcludePunctuation=True)["RandomPassword"]
        pair = json.dumps({KEY: next_pair(current[KEY], fresh)})
        client.put_secret_value(SecretId=secret_id, ClientRequestToken=token, SecretString=pair, VersionStages=["AWSPENDING"])


def next_pair(current: str | list[str], fresh: str) -> list[str]:
    """The credential now in use, and the one after it. The secret begins with a single one, as text."""
    credentials = [current] if isinstance(current, str) else current
    return [credentials[-1], fresh]


def check(client: Any, secret_id: str, token: str) -> None:
    """Refuses a pending version that the functions could not use."""
    pending = json.loads(
        client.get_secret_value(SecretId=secret_id, VersionId=token, VersionStage="AWSPENDING")["SecretString"]
    )
    pair = pending[KEY]
    if len(set(pair)) != 2 or min(map(len, pair)) < CREDENTIAL_LENGTH:  # noqa: PLR2004 - a pair
        raise ValueError("the pending version does not hold two different credentials")


def finish(client: Any, secret_id: str, token: str) -> None:
    """Makes the pending version the current one."""
    versions = client.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    current = next(version for version, stages in versions.items() if "AWSCURRENT" in stages)
    if current != token:
        client.update_secret_version_stage(
            SecretId=secret_id, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
