"""The rotation of the edge credential, a step at a time, against Secrets Manager's own rules."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from infra.rotation import rotate

SECRET = "sipgw-test/edge-credentials"


class Manager:
    """Secrets Manager with one secret: versions and their stages."""

    class exceptions:  # noqa: N801 - boto3's own name
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, current: object) -> None:
        self.versions = {"first": json.dumps({"edge_credentials": current})}
        self.stages = {"AWSCURRENT": "first"}
        self.made = 0

    def get_secret_value(self, SecretId: str, VersionStage: str, VersionId: str = "") -> dict[str, str]:
        version = self.stages.get(VersionStage)
        if SecretId != SECRET or version is None or (VersionId and VersionId != version):
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.versions[version]}

    def get_random_password(self, PasswordLength: int, ExcludePunctuation: bool) -> dict[str, str]:
        assert ExcludePunctuation
        self.made += 1
        return {"RandomPassword": str(self.made) * PasswordLength}

    def put_secret_value(
        self,
        SecretId: str,
        ClientRequestToken: str,
        SecretString: str,
        VersionStages: list[str],
    ) -> None:
        assert SecretId == SECRET
        self.versions[ClientRequestToken] = SecretString
        self.stages.update(dict.fromkeys(VersionStages, ClientRequestToken))

    def describe_secret(self, SecretId: str) -> dict[str, Any]:
        assert SecretId == SECRET
        stages: dict[str, list[str]] = {}
        for stage, version in self.stages.items():
            stages.setdefault(version, []).append(stage)
        return {"VersionIdsToStages": stages}

    def update_secret_version_stage(
        self,
        SecretId: str,
        VersionStage: str,
        MoveToVersionId: str,
        RemoveFromVersionId: str,
    ) -> None:
        assert (SECRET, RemoveFromVersionId) == (SecretId, self.stages[VersionStage])
        self.stages["AWSPREVIOUS"] = self.stages[VersionStage]
        self.stages[VersionStage] = MoveToVersionId

    @property
    def current(self) -> Any:
        return json.loads(self.versions[self.stages["AWSCURRENT"]])["edge_credentials"]


def turn(manager: Manager, token: str) -> list[str]:
    """A whole rotation."""
    rotate.create(manager, SECRET, token)
    rotate.check(manager, SECRET, token)
    rotate.finish(manager, SECRET, token)
    found: list[str] = manager.current
    return found


def test_the_first_rotation_keeps_the_only_credential_in_use() -> None:
    assert ["a" * 64, "1" * 64] == turn(Manager("a" * 64), "second")


def test_the_next_in_use_was_known_to_every_function_before() -> None:
    manager = Manager(["a" * 64, "b" * 64])
    before = manager.current
    after = turn(manager, "second")

    assert (before[1], True) == (after[0], after[1] not in before)


def test_one_of_two_neighbouring_pairs_always_fits() -> None:
    manager = Manager("a" * 64)
    pairs = [turn(manager, token) for token in ("2", "3", "4")]

    assert all(set(former) & set(latter) for former, latter in pairwise(pairs))


def test_a_step_asked_twice_is_done_once() -> None:
    manager = Manager(["a" * 64, "b" * 64])
    for _ in range(2):
        rotate.create(manager, SECRET, "second")
    rotate.finish(manager, SECRET, "second")
    rotate.finish(manager, SECRET, "second")

    assert (1, ["b" * 64, "1" * 64]) == (manager.made, manager.current)


@pytest.mark.parametrize("pair", [["a" * 64, "a" * 64], ["a" * 64, "b"], ["a" * 64]])
def test_a_pair_that_functions_could_not_use_is_refused(pair: list[str]) -> None:
    manager = Manager("a" * 64)
    manager.put_secret_value(SECRET, "second", json.dumps({"edge_credentials": pair}), ["AWSPENDING"])

    with pytest.raises(ValueError, match="two different credentials"):
        rotate.check(manager, SECRET, "second")
