"""A region is one file; a wrong one is named with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.region import REGIONS, BadRegion, load_region, region_names


def write(folder: Path, *changes: tuple[str, str], name: str = "test") -> None:
    """The file of emea with some of its text replaced."""
    text = (REGIONS / "emea.toml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / f"{name}.toml").write_text(text)


def test_the_three_regions_are_given() -> None:
    assert ["apac", "emea", "noam"] == region_names()
    assert ["ap-southeast-1", "eu-central-1", "us-east-1"] == [load_region(name).aws_region for name in region_names()]


def test_a_fourth_region_is_one_file(tmp_path: Path) -> None:
    for path in REGIONS.glob("*.toml"):
        shutil.copy(path, tmp_path)
    write(tmp_path, name="latam")

    assert ["apac", "emea", "latam", "noam"] == region_names(tmp_path)
    assert ("sipgw-latam", "sipgw-latam-region") == (
        load_region("latam", tmp_path).prefix,
        load_region("latam", tmp_path).region_table,
    )


def test_a_region_without_a_file_says_which_there_are() -> None:
    with pytest.raises(BadRegion, match=r"no region 'mars'.*apac, emea, noam"):
        load_region("mars")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('account = "000000000000"', 'account = "12"', "/account must be the twelve digits"),
        ('account = "000000000000"', "account = 12", "/account"),
        ('account = "000000000000"', "", "/account"),
        ('aws_region = "eu-central-1"', 'aws_region = "Frankfurt"', "/aws_region must be a region of AWS"),
        ('"eu-central-1b"]', '"eu-central-1a"]', "/availability_zones must name two zones"),
        ('"eu-central-1b"]', '"us-east-1b"]', "/availability_zones must name two zones"),
        ('"phones.emea.gateway.example"', '"https://phones"', "/hosts/phones must be a host name"),
        ('"phones.emea.gateway.example"', '"gateway.emea.gateway.example"', "three different names"),
        ("[edge]", 'sip_second = "sip2.gateway.example:0"\n[edge]', "/hosts/sip_second must be another host name"),
        ("[edge]", 'sip_second = "sip.emea.gateway.example"\n[edge]', "/hosts/sip_second must be another host name"),
        ("arn:aws:acm:", "arn:aws:iam:", "/hosts/certificate_arn must be the ARN"),
        ("@sha256:", ":latest#", "/edge/image must name its digest"),
        ("arn:aws:secretsmanager", "arn:aws:ssm", "/edge/certificate_secret_arn"),
        ("[entra]", "cpu = 300\n[entra]", "/edge/cpu must be one of"),
        ("[entra]", "memory_mb = 16384\n[entra]", "/edge/memory_mb must be a multiple"),
        ("[entra]", "phones_per_task = 36_865\n[entra]", "/edge/phones_per_task must be at most 36864"),
        ("[entra]", "memory_mb = 3072\n[entra]", "/edge/memory_mb is too little"),
        ("[entra]", "fewest = 3\nmost = 2\n[entra]", "/edge: fewest"),
        ('client_id = "0', 'client_id = "x', "/entra/client_id"),
        ('["00000000-0000-0000-0000-000000000000"]', '["*"]', "/entra/allowed_tenants"),
        ("api://", "https://", "/entra/api_audience"),
        ("gateway-operations@", "gateway-operations", "/watch/alarm_email"),
        ("[watch]", "[functions]\nlog_retention_days = 31\n[watch]", "/functions/log_retention_days"),
        ("[watch]", "[limits]\npairing_per_address = 5\n[watch]", "/limits/pairing_per_address"),
        ("[watch]", "[limits]\nper_address = 100\n[watch]", "/limits: stage 1 and pairing must be stricter"),
        ("[watch]", "[phones]\nregistration_expiry_seconds = 30\n[watch]", "/phones/registration_expiry_seconds"),
        ("[watch]", '[phones]\nmanufacturer_roots = "gone.pem"\n[watch]', "/phones/manufacturer_roots names gone.pem"),
        ("[watch]", '[directory]\ntable = "home"\n[watch]', "/directory/replicas"),
        ("[watch]", '[directory]\ntable = "shared"\n[watch]', "/directory/table"),
        ("[watch]", '[directory]\nusers = "ldap"\n[watch]', "/directory/users"),
        ("[watch]", '[trunk]\npeers = ["sbc.example.com"]\nnetworks = ["203.0.113.0/24"]\n[watch]', "/trunk: peers"),
        ("[watch]", '[trunk]\npeers = []\nnetworks = ["203.0.113.0/24"]\n[watch]', "with at least one peer"),
        ("[watch]", '[trunk]\npeers = ["sbc.example.com:5061"]\n[watch]', "/trunk/networks"),
        (
            "[watch]",
            '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["203.0.113.0/24"]\npeer_names = ["a.*"]\n[watch]',
            "peer_names",
        ),
        (
            "[watch]",
            '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["203.0.113.0/24"]\ncertificate_secret_arn = "x"\n[watch]',
            "/trunk/certificate_secret_arn",
        ),
        ("[watch]", '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["0.0.0.0/0"]\n[watch]', "and nothing wider"),
        ("[watch]", '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["203.0.113.7/24"]\n[watch]', "without host bits"),
        (
            "[watch]",
            '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["203.0.113.0/24"]\nmedia = "dtls"\n[watch]',
            "/trunk/media",
        ),
        ("[watch]", '[trunk]\npeers = ["a.example:5061"]\nnetworks = ["203.0.113.0/24"]\nname = "a_b"\n[watch]', "/trunk/name"),
        ("[watch]", "[colours]\n[watch]", "/colours"),
        ("[watch]", "[watch", "is not TOML"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, before: str, after: str, says: str) -> None:
    write(tmp_path, (before, after))

    with pytest.raises(BadRegion) as problem:
        load_region("test", tmp_path)
    assert says in str(problem.value)
    assert "test.toml" in str(problem.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, ('account = "000000000000"', 'account = "1"'), ("@sha256:", "@md5:"))

    with pytest.raises(BadRegion, match=r"/account.*; /edge/image"):
        load_region("test", tmp_path)


def test_a_shared_directory_has_one_name_everywhere(tmp_path: Path) -> None:
    write(tmp_path, ("[watch]", '[directory]\ntable = "home"\nreplicas = ["us-east-1"]\n[watch]'), name="home")
    write(tmp_path, ("[watch]", '[directory]\ntable = "copy"\n[watch]'), name="copy")

    assert ["sipgw-directory"] * 2 == [load_region(name, tmp_path).directory_table for name in ("home", "copy")]
    assert "sipgw-emea-directory" == load_region("emea").directory_table
