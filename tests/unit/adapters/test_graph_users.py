"""Graph's documents read into users: adapters/graph/users.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.graph.users import NAMES_IN_A_FILTER, account_filters, parse_line, user_of
from chalicelib.domain.directory import User
from chalicelib.domain.errors import DirectoryAway

TENANT, UPN = "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "adelev@contoso.com"
# "List userConfigurations", Microsoft Graph v1.0, 2025-12-03: the documented example
DOCUMENTED: dict[str, Any] = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#admin/teams/userConfigurations",
    "id": "5c802b19-3600-83f1-1767-7b9edc7f38ab",
    "userPrincipalName": "AdeleV@contoso.com",
    "tenantId": TENANT,
    "effectivePolicyAssignments": [
        {
            "policyType": "TeamsCallingPolicy",
            "policyAssignment": {
                "displayName": "AllOn",
                "assignmentType": "group",
                "policyId": "f7593e81-772a-4455-88a3-fc9e5ebc1e4a",
                "groupId": "75ae6229-35fe-4b01-ae7f-7c50439d239c",
            },
        },
        {
            "policyType": "TeamsMeetingPolicy",
            "policyAssignment": {
                "displayName": "CustomPolicy",
                "assignmentType": "direct",
                "policyId": "J93PmFHwFcLZhWfYcBlv9pn-hG-kUWkcxmkDvpwgacw",
            },
        },
    ],
    "telephoneNumbers": [{"telephoneNumber": "+13235533696", "assignmentCategory": "primary"}],
    "isEnterpriseVoiceEnabled": False,
    "featureTypes": ["Teams", "CallingPlan"],
    "accountType": "user",
    "createdDateTime": "2025-01-07T09:08:50.9115993Z",
    "modifiedDateTime": "2025-01-07T09:08:50.9115993Z",
}
ACCOUNT = {
    "id": DOCUMENTED["id"],
    "userPrincipalName": "AdeleV@contoso.com",
    "displayName": "Adele Vance",
    "accountEnabled": True,
}


@pytest.mark.parametrize(
    "configuration", [DOCUMENTED, {"value": DOCUMENTED}, {"value": [DOCUMENTED]}], ids=["bare", "wrapped", "list"]
)
def test_the_documented_example_is_read(configuration: dict[str, Any]) -> None:
    assert User(TENANT, UPN, "Adele Vance", "+13235533696", "AllOn") == user_of(TENANT, UPN, ACCOUNT, configuration)


def policy_named(name: object) -> str:
    policy = {"policyType": "TeamsCallingPolicy", "policyAssignment": {"displayName": name}}
    return user_of(TENANT, UPN, ACCOUNT, {"effectivePolicyAssignments": [policy]}).policy


@pytest.mark.parametrize(
    ("name", "policy"), [("AllOn", "AllOn"), ("Tag:AllOn", "AllOn"), ("Global", ""), ("global", ""), ("", ""), (None, "")]
)
def test_a_policy_is_named_as_the_import_names_it(name: object, policy: str) -> None:
    assert policy == policy_named(name)


@pytest.mark.parametrize(
    "configuration",
    [
        None,
        {},
        {"telephoneNumbers": None, "effectivePolicyAssignments": None},
        {"telephoneNumbers": [], "effectivePolicyAssignments": []},
        {"telephoneNumbers": [{}], "effectivePolicyAssignments": [{}]},
        {"effectivePolicyAssignments": [{"policyType": "TeamsCallingPolicy", "policyAssignment": None}]},
        {"effectivePolicyAssignments": [{"policyType": "TeamsCallHoldPolicy", "policyAssignment": {"displayName": "x"}}]},
        {"telephoneNumbers": [{"telephoneNumber": None, "assignmentCategory": "primary"}]},
        {"telephoneNumbers": [{"telephoneNumber": "+13235533696", "assignmentCategory": "unknownFutureValue"}]},
        {"value": []},
    ],
    ids=str,
)
def test_what_is_absent_is_empty(configuration: dict[str, Any] | None) -> None:
    assert User(TENANT, UPN, "Adele Vance") == user_of(TENANT, UPN, ACCOUNT, configuration)


@pytest.mark.parametrize(
    "configuration", [{"telephoneNumbers": "x"}, {"effectivePolicyAssignments": {}}, {"value": "x"}], ids=str
)
def test_what_has_another_shape_is_no_absence(configuration: dict[str, Any]) -> None:
    with pytest.raises(DirectoryAway):
        user_of(TENANT, UPN, ACCOUNT, configuration)


@pytest.mark.parametrize(("value", "enabled"), [(True, True), (False, False), (None, True)])
def test_only_an_account_that_is_disabled_counts_as_disabled(value: bool | None, enabled: bool) -> None:  # noqa: FBT001
    assert enabled is user_of(TENANT, UPN, {**ACCOUNT, "accountEnabled": value}, None).enabled


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("+498912340", ("+498912340", "")),
        ("tel:+498912340", ("+498912340", "")),
        ("TEL:+49-89-12340", ("+498912340", "")),
        ("tel:+14255388701;ext=1001", ("+14255388701", "1001")),
        ("+14255388701;EXT=1001", ("+14255388701", "1001")),
        ("tel:+14255388701;isub=7;ext=12", ("+14255388701", "12")),
        ("tel:+14255388701;ext=", ("+14255388701", "")),
        (" +1 (425) 538.8701 ", ("+14255388701", "")),
        ("tel:1001;phone-context=+1425", ("", "")),
        ("1001", ("", "")),
        ("sip:anna@example.com", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_line_is_a_number_and_an_extension(text: str, line: tuple[str, str]) -> None:
    assert line == parse_line(text)


@given(st.text())
def test_any_text_is_read_as_a_line(text: str) -> None:
    number, extension = parse_line(text)

    assert number == "" or number.startswith("+")
    assert extension == "" or extension.isdigit()


def test_a_filter_names_15_users_and_doubles_quotes() -> None:
    names = [f"u{number}@x" for number in range(16)]
    first, second = account_filters("userPrincipalName", [*names[:15], "o'neill@x"])

    assert NAMES_IN_A_FILTER == first.count("@x")
    assert "userPrincipalName in ('o''neill@x')" == second
