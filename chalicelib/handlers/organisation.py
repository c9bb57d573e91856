"""`/v1/tenant`, `/v1/policies`, `/v1/users`, `/v1/audit`, `/v1/network` and what needs no token."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.domain.audit import AuditEntry
from chalicelib.domain.directory import CallingPolicy
from chalicelib.domain.errors import DirectoryReadOnly, NumberTaken, PayloadTooLarge
from chalicelib.domain.identifiers import parse_upn
from chalicelib.domain.tenant import TenantSettings
from chalicelib.handlers.answers import NO_STORE, json_answer, page_answer
from chalicelib.handlers.api import ADMINS, AUDITORS, READERS, api_route, public_route
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.contract import JSON, Answer, Body, Contract, PageQuery
from chalicelib.handlers.requests import LONGEST_BODY, parse_body, parse_limit
from chalicelib.handlers.shapes import List, shown, whole
from chalicelib.handlers.shapes.organisation import (
    AuditLine,
    CompatibleModel,
    NetworkView,
    OpenApiDocument,
    PolicyExport,
    PolicyExportFile,
    PolicyView,
    Ports,
    TenantView,
)
from chalicelib.usecases.import_policies import PolicyRow, import_policies
from chalicelib.usecases.record_audit import list_audit
from chalicelib.usecases.set_policy import (
    PolicySettings,
    RemovablePolicyName,
    list_policies,
    remove_policy,
    set_policy,
    show_policy,
)
from chalicelib.usecases.set_user import UserSettings, list_users, set_user, show_user
from chalicelib.usecases.update_tenant import show_tenant, update_tenant
from chalicelib.usecases.user_view import UserView
from chalicelib.vendors.catalogue import vendors

blueprint = Blueprint(__name__)
RTP_PORTS = "49152-53247"
IMPORT_POLICIES = Contract(
    (Answer(List[PolicyRow]),), (Body(PolicyExport, closed=False), Body(PolicyExportFile, "application/octet-stream"))
)
SET_USER = Contract((Answer(UserView),), (Body(UserSettings, required=False),), problems=(NumberTaken, DirectoryReadOnly))
REMOVE_POLICY = Contract((Answer(status=204),), path={"name": RemovablePolicyName})


@api_route(blueprint, "GET", "/v1/tenant", READERS, Contract((Answer(TenantView),)))
def get_tenant(call: ApiCall) -> Response:
    """The tenant's settings."""
    return json_answer(shown(TenantView, show_tenant(call.gateway, call.caller)))


@api_route(blueprint, "PATCH", "/v1/tenant", ADMINS, Contract((Answer(TenantView),), (Body(TenantSettings, required=False),)))
def patch_tenant(call: ApiCall) -> Response:
    """Changes what is given."""
    return json_answer(shown(TenantView, update_tenant(call.gateway, call.caller, parse_body(TenantSettings, call.http))))


@api_route(blueprint, "GET", "/v1/policies", READERS, Contract((Answer(List[PolicyView]),), queries=(PageQuery,)))
def get_policies(call: ApiCall) -> Response:
    """The tenant's calling policies."""
    page = list_policies(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, _policy)


@api_route(blueprint, "POST", "/v1/policies/import", ADMINS, IMPORT_POLICIES)
def post_policies_import(call: ApiCall) -> Response:
    """Takes over the calling policies that PowerShell exported, a result for each."""
    return json_answer(whole(import_policies(call.gateway, call.caller, _checked_body(call))))


@api_route(blueprint, "GET", "/v1/policies/{name}", READERS, Contract((Answer(PolicyView),)))
def get_policy(call: ApiCall, name: str) -> Response:
    """One policy."""
    return json_answer(_policy(show_policy(call.gateway, call.caller, name)))


@api_route(
    blueprint, "PUT", "/v1/policies/{name}", ADMINS, Contract((Answer(PolicyView),), (Body(PolicySettings, required=False),))
)
def put_policy(call: ApiCall, name: str) -> Response:
    """Creates or changes a policy."""
    return json_answer(_policy(set_policy(call.gateway, call.caller, name, parse_body(PolicySettings, call.http))))


@api_route(blueprint, "DELETE", "/v1/policies/{name}", ADMINS, REMOVE_POLICY)
def delete_policy(call: ApiCall, name: str) -> Response:
    """Removes a policy."""
    remove_policy(call.gateway, call.caller, name)
    return Response("", status_code=204, headers=dict(NO_STORE))


@api_route(blueprint, "GET", "/v1/users", READERS, Contract((Answer(List[UserView]),), queries=(PageQuery,)))
def get_users(call: ApiCall) -> Response:
    """The directory's users."""
    page = list_users(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page)


@api_route(blueprint, "GET", "/v1/users/{upn}", READERS, Contract((Answer(UserView),)))
def get_user(call: ApiCall, upn: str) -> Response:
    """One user."""
    return json_answer(show_user(call.gateway, call.caller, parse_upn(upn)))


@api_route(blueprint, "PUT", "/v1/users/{upn}", ADMINS, SET_USER)
def put_user(call: ApiCall, upn: str) -> Response:
    """Creates or changes a user of the local directory."""
    return json_answer(set_user(call.gateway, call.caller, parse_upn(upn), parse_body(UserSettings, call.http)))


@api_route(blueprint, "GET", "/v1/audit", AUDITORS, Contract((Answer(List[AuditLine]),), queries=(PageQuery,)))
def get_audit(call: ApiCall) -> Response:
    """Who changed what when, newest first."""
    page = list_audit(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, _audit_line)


@api_route(blueprint, "GET", "/v1/network", READERS, Contract((Answer(NetworkView),)))
def get_network(call: ApiCall) -> Response:
    """What a firewall and Conditional Access must let through."""
    settings = call.gateway.settings
    addresses = tuple(item.strip() for item in settings.egress_addresses.split(",") if item.strip())
    ports = Ports("TCP 443", f"TCP {settings.sip_port}", f"UDP {RTP_PORTS}")
    return json_answer(NetworkView(settings.region, f"{settings.public_url}/", settings.sip_host, ports, addresses))


@public_route(blueprint, "/v1/compatible-devices", Contract((Answer(List[CompatibleModel]),)))
def get_compatible_devices() -> Response:
    """Models and their firmware; no token needed."""
    known = [(vendor.name, model) for vendor in vendors().values() for model in vendor.models.values()]
    rows = [CompatibleModel(vendor, it.name, it.minimum_firmware, it.approved_firmware) for vendor, it in known]
    return json_answer(whole(rows))


@public_route(blueprint, "/v1/openapi.json", Contract((Answer(OpenApiDocument),)))
def get_openapi() -> Response:
    """This API as OpenAPI 3.1; no token needed."""
    from chalicelib.handlers.openapi import openapi_text  # noqa: PLC0415 - phones' requests neither load nor build it

    return Response(openapi_text(), headers={**NO_STORE, "Content-Type": JSON})


def _checked_body(call: ApiCall) -> bytes:
    """The body before anybody read it as text: PowerShell may have written UTF-16."""
    if len(call.http.body) > LONGEST_BODY:
        raise PayloadTooLarge(f"A body may have at most {LONGEST_BODY} bytes.")
    return call.http.body


def _policy(policy: CallingPolicy) -> PolicyView:
    return shown(PolicyView, policy)


def _audit_line(entry: AuditEntry) -> AuditLine:
    return shown(AuditLine, entry, target=entry.target or None, address=entry.address or None)
