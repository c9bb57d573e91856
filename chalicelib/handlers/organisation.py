"""`/v1/tenant`, `/v1/policies`, `/v1/users`, `/v1/sync`, `/v1/jobs`, `/v1/network` and what needs no token."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.domain.audit import AuditEntry
from chalicelib.domain.directory import CallingPolicy
from chalicelib.domain.errors import PayloadTooLarge
from chalicelib.domain.identifiers import parse_upn
from chalicelib.domain.tenant import TenantSettings
from chalicelib.handlers.answers import NO_STORE, json_answer, page_answer
from chalicelib.handlers.api import ADMINS, AUDITORS, READERS, api_route, as_items, refuse_unknown, run_api
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.job_answers import job_answer, job_fields, job_with_rows
from chalicelib.handlers.requests import LONGEST_BODY, LONGEST_PAGE, parse_body, parse_limit, parse_text
from chalicelib.usecases.answer_table import sign_in_accounts
from chalicelib.usecases.import_policies import import_policies
from chalicelib.usecases.record_audit import list_audit
from chalicelib.usecases.set_policy import PolicySettings, list_policies, remove_policy, set_policy, show_policy
from chalicelib.usecases.set_user import UserSettings, list_users, set_user, show_user
from chalicelib.usecases.show_jobs import cancel_job, list_job_rows, list_jobs
from chalicelib.usecases.sync_policy import request_sync
from chalicelib.usecases.update_tenant import show_tenant, update_tenant
from chalicelib.vendors.catalogue import vendors

blueprint = Blueprint(__name__)
RTP_PORTS = "49152-53247"


@api_route(blueprint, "GET", "/v1/tenant", READERS)
def get_tenant(call: ApiCall) -> Response:
    """The tenant's settings."""
    return json_answer(show_tenant(call.gateway, call.caller))


@api_route(blueprint, "PATCH", "/v1/tenant", ADMINS)
def patch_tenant(call: ApiCall) -> Response:
    """Changes what is given."""
    return json_answer(update_tenant(call.gateway, call.caller, parse_body(TenantSettings, call.http)))


@api_route(blueprint, "GET", "/v1/policies", READERS)
def get_policies(call: ApiCall) -> Response:
    """The tenant's calling policies."""
    refuse_unknown(call.http, "limit", "cursor")
    page = list_policies(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, [_policy(item) for item in page.items])


@api_route(blueprint, "POST", "/v1/policies/import", ADMINS)
def post_policies_import(call: ApiCall) -> Response:
    """Takes over the calling policies that PowerShell exported, a result for each."""
    return json_answer(as_items(import_policies(call.gateway, call.caller, _checked_body(call))))


@api_route(blueprint, "GET", "/v1/policies/{name}", READERS)
def get_policy(call: ApiCall, name: str) -> Response:
    """One policy."""
    return json_answer(_policy(show_policy(call.gateway, call.caller, name)))


@api_route(blueprint, "PUT", "/v1/policies/{name}", ADMINS)
def put_policy(call: ApiCall, name: str) -> Response:
    """Creates or changes a policy."""
    return json_answer(_policy(set_policy(call.gateway, call.caller, name, parse_body(PolicySettings, call.http))))


@api_route(blueprint, "DELETE", "/v1/policies/{name}", ADMINS)
def delete_policy(call: ApiCall, name: str) -> Response:
    """Removes a policy."""
    remove_policy(call.gateway, call.caller, name)
    return Response("", status_code=204, headers=dict(NO_STORE))


@api_route(blueprint, "GET", "/v1/users", READERS)
def get_users(call: ApiCall) -> Response:
    """The directory's users."""
    refuse_unknown(call.http, "limit", "cursor")
    page = list_users(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page)


@api_route(blueprint, "GET", "/v1/users/{upn}", READERS)
def get_user(call: ApiCall, upn: str) -> Response:
    """One user."""
    return json_answer(show_user(call.gateway, call.caller, parse_upn(upn)))


@api_route(blueprint, "PUT", "/v1/users/{upn}", ADMINS)
def put_user(call: ApiCall, upn: str) -> Response:
    """Creates or changes a user of the local directory."""
    return json_answer(set_user(call.gateway, call.caller, parse_upn(upn), parse_body(UserSettings, call.http)))


@api_route(blueprint, "POST", "/v1/sync", ADMINS)
def post_sync(call: ApiCall) -> Response:
    """Starts the policy sync of the tenant."""
    return job_answer(call, request_sync(call.gateway, call.caller))


@api_route(blueprint, "POST", "/v1/sign-ins", ADMINS)
def post_sign_ins(call: ApiCall) -> Response:
    """Signs common-area accounts in by a table; the job has a result for each row."""
    return job_answer(call, sign_in_accounts(call.gateway, call.caller, parse_text(call.http)))


@api_route(blueprint, "GET", "/v1/jobs", READERS)
def get_jobs(call: ApiCall) -> Response:
    """The tenant's jobs, newest first, without their rows."""
    refuse_unknown(call.http, "limit", "cursor")
    page = list_jobs(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, [job_fields(item) for item in page.items])


@api_route(blueprint, "GET", "/v1/jobs/{id}", READERS)
def get_job(call: ApiCall, **parameters: str) -> Response:
    """One job and a page of its rows, as many as there may be unless told."""
    refuse_unknown(call.http, "limit", "cursor")
    limit = parse_limit(call.http) if "limit" in call.http.query else LONGEST_PAGE
    shown = list_job_rows(call.gateway, call.caller, parameters["id"], limit, call.http.query.get("cursor"))
    return json_answer(job_with_rows(shown))


@api_route(blueprint, "POST", "/v1/jobs/{id}/cancel", ADMINS)
def post_job_cancel(call: ApiCall, **parameters: str) -> Response:
    """Ends a job before its next row."""
    return job_answer(call, cancel_job(call.gateway, call.caller, parameters["id"]))


@api_route(blueprint, "GET", "/v1/audit", AUDITORS)
def get_audit(call: ApiCall) -> Response:
    """Who changed what when, newest first."""
    refuse_unknown(call.http, "limit", "cursor")
    page = list_audit(call.gateway, call.caller, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, [_audit_entry(item) for item in page.items])


@api_route(blueprint, "GET", "/v1/network", READERS)
def get_network(call: ApiCall) -> Response:
    """What a firewall and Conditional Access must let through."""
    settings = call.gateway.settings
    addresses = [item.strip() for item in settings.egress_addresses.split(",") if item.strip()]
    return json_answer(
        {
            "region": settings.region,
            "provisioning_url": f"{settings.public_url}/",
            "sip_host": settings.sip_host,
            "ports": {"https": "TCP 443", "sip": f"TCP {settings.sip_port}", "media": f"UDP {RTP_PORTS}"},
            "egress_addresses": addresses,
        }
    )


@blueprint.route("/v1/compatible-devices", methods=["GET"], content_types=["*/*"])
def get_compatible_devices() -> Response:
    """Models and their firmware; no token needed."""
    rows = [
        {
            "vendor": vendor.name,
            "model": model.name,
            "minimum_firmware": model.minimum_firmware,
            "approved_firmware": model.approved_firmware,
        }
        for vendor in vendors().values()
        for model in vendor.models.values()
    ]
    return run_api(blueprint, lambda _: json_answer(as_items(rows)))


def _checked_body(call: ApiCall) -> bytes:
    """The body before anybody read it as text: PowerShell may have written UTF-16."""
    if len(call.http.body) > LONGEST_BODY:
        raise PayloadTooLarge(f"A body may have at most {LONGEST_BODY} bytes.")
    return call.http.body


def _policy(policy: CallingPolicy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "sip_devices_for_calls": policy.sip_devices_for_calls,
        "call_redirect": policy.call_redirect,
        "voicemail": policy.voicemail,
        "common_area": policy.common_area,
        "busy_on_busy": policy.busy_on_busy,
    }


def _audit_entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "id": entry.id,
        "type": entry.type,
        "actor": entry.actor,
        "method": entry.method,
        "path": entry.path,
        "target": entry.target or None,
        "address": entry.address or None,
        "status": entry.status,
    }
