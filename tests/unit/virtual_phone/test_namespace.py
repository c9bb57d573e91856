"""What the namespace says when it cannot be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local.virtual_phone.namespace import command_in_namespace, enter_namespace, find_reason, inside_namespace, main


def install(folder: Path, name: str, exit_code: int = 0) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit {exit_code}\n")
    program.chmod(0o755)


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    expected = "`unshare` is missing: apt-get install util-linux"
    assert expected == find_reason(path=str(tmp_path))
    install(tmp_path, "unshare")
    expected_next = "`ip` is missing: apt-get install iproute2"
    assert expected_next == find_reason(path=str(tmp_path))


def test_a_switched_off_kernel_feature_is_named_with_its_switch(tmp_path: Path) -> None:
    install(tmp_path, "unshare", exit_code=1)
    install(tmp_path, "ip")
    switch = tmp_path / "max_user_namespaces"
    switch.write_text("0\n")

    reason = find_reason(path=str(tmp_path), switches=[(str(switch), "0", "sysctl -w user.max_user_namespaces=10000")])
    expected = f"user namespaces are switched off ({switch} is 0): as root, sysctl -w user.max_user_namespaces=10000"
    assert expected == reason


def test_a_refusing_container_is_told_what_to_allow(tmp_path: Path) -> None:
    install(tmp_path, "unshare", exit_code=1)
    install(tmp_path, "ip")

    reason = find_reason(path=str(tmp_path), switches=())
    assert "Operation not permitted" in reason
    assert "Root on this machine needs no such permission." in reason
    assert "--security-opt seccomp=unconfined" in reason


def test_a_machine_that_can_gives_no_reason(tmp_path: Path) -> None:
    install(tmp_path, "unshare")
    install(tmp_path, "ip")

    expected = ""
    assert expected == find_reason(path=str(tmp_path))


def test_inside_nothing_happens() -> None:
    environment = {"SIPGW_PHONE_NAMESPACE": "ready"}
    enter_namespace(environment)

    assert inside_namespace(environment)
    assert not inside_namespace({})


def test_a_command_is_run_through_this_module() -> None:
    expected = [sys.executable, "-m", "local.virtual_phone.namespace", "make", "demo"]
    assert expected == command_in_namespace(["make", "demo"])


def test_no_command_is_answered_with_the_usage() -> None:
    with pytest.raises(SystemExit, match="usage"):
        main([])
