"""Where secrets are read, and who knows which: chalicelib/adapters/secrets.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.secrets import load_secrets
from chalicelib.settings import BadSetting
from sip_edge.agent.settings import AgentSettings
from sip_edge.agent.settings import BadSetting as BadEdgeSetting

KEY = "k" * 64


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-central-1")


def keep(manager: Any, name: str, **values: Any) -> str:
    return str(manager.create_secret(Name=name, SecretString=json.dumps(values))["ARN"])


def test_several_secrets_make_one_set(manager: Any) -> None:
    arns = [keep(manager, "key", region_key=KEY), keep(manager, "edges", edge_credentials=["a", "b"])]
    secrets = load_secrets(f"secretsmanager:{','.join(arns)}")

    assert [KEY, "a", "b"] == [item.reveal() for item in (secrets.region_key, *secrets.edge_credentials)]


def test_a_function_without_edge_credentials_knows_none(manager: Any) -> None:
    secrets = load_secrets(f"secretsmanager:{keep(manager, 'key', region_key=KEY)}")

    assert ((), "") == (secrets.edge_credentials, secrets.entra_client_secret.reveal())


def test_a_credential_that_was_never_rotated_stands_alone(manager: Any) -> None:
    arn = keep(manager, "both", region_key=KEY, edge_credentials="first")

    assert ["first"] == [item.reveal() for item in load_secrets(f"secretsmanager:{arn}").edge_credentials]


def test_the_edge_reads_the_same_secret(manager: Any) -> None:
    settings = AgentSettings(
        id="e", functions_url="https://gw.example", credential_secret=keep(manager, "e", edge_credentials="x")
    )
    before = settings.load_credential()
    manager.put_secret_value(SecretId=settings.credential_secret, SecretString='{"edge_credentials": ["x", "y"]}')

    assert ("x", "x") == (before, settings.load_credential())


def test_a_secret_that_is_not_there_is_named_by_its_variable(manager: Any) -> None:
    arn = keep(manager, "gone", edge_credentials="x")
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    settings = AgentSettings(id="e", functions_url="https://gw.example", credential_secret=arn)

    with pytest.raises(BadEdgeSetting, match="EDGE_CREDENTIAL_SECRET"):
        settings.load_credential()


def test_a_file_needs_an_edge_credential(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"region_key": KEY, "edge_credentials": []}))

    with pytest.raises(BadSetting, match="edge_credentials"):
        load_secrets(f"file:{path}")
