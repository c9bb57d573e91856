"""`/v1/sync`, `/v1/sign-ins`, `/v1/jobs`: long work, watched and cancelled."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.domain.errors import IllegalMove
from chalicelib.handlers.answers import json_answer, page_answer
from chalicelib.handlers.api import ADMINS, READERS, api_route
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.contract import CSV, LONGEST_PAGE, NO_FIELDS, Answer, Body, Contract, PageQuery
from chalicelib.handlers.job_answers import job_answer, job_view, job_with_rows
from chalicelib.handlers.requests import parse_limit, parse_query, parse_text
from chalicelib.handlers.shapes import List
from chalicelib.handlers.shapes.jobs import JobQuery, JobView, JobWithRows, SignInTable
from chalicelib.usecases.answer_table import sign_in_accounts
from chalicelib.usecases.show_jobs import JobFilter, cancel_job, list_job_rows, list_jobs
from chalicelib.usecases.sync_policy import request_sync

blueprint = Blueprint(__name__)
_NEW_JOB = Answer(JobWithRows, 202, headers=("Location",))


@api_route(blueprint, "POST", "/v1/sync", ADMINS, Contract((_NEW_JOB,)))
def post_sync(call: ApiCall) -> Response:
    """Starts the policy sync of the tenant."""
    return job_answer(call, request_sync(call.gateway, call.caller))


@api_route(blueprint, "POST", "/v1/sign-ins", ADMINS, Contract((_NEW_JOB,), (Body(SignInTable, CSV),)))
def post_sign_ins(call: ApiCall) -> Response:
    """Signs common-area accounts in by a table; the job has a result for each row."""
    return job_answer(call, sign_in_accounts(call.gateway, call.caller, parse_text(call.http)))


@api_route(blueprint, "GET", "/v1/jobs", READERS, Contract((Answer(List[JobView]),), queries=(JobFilter, PageQuery)))
def get_jobs(call: ApiCall) -> Response:
    """The tenant's jobs, newest first, without their rows."""
    wanted = parse_query(JobFilter, call.http, "limit", "cursor")
    page = list_jobs(call.gateway, call.caller, wanted, parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, job_view)


@api_route(blueprint, "GET", "/v1/jobs/{id}", READERS, Contract((Answer(JobWithRows),), queries=(JobQuery,)))
def get_job(call: ApiCall, **parameters: str) -> Response:
    """One job and a page of its rows, as many as there may be unless told."""
    limit = parse_limit(call.http) if "limit" in call.http.query else LONGEST_PAGE
    return json_answer(
        job_with_rows(list_job_rows(call.gateway, call.caller, parameters["id"], limit, call.http.query.get("cursor")))
    )


@api_route(blueprint, "POST", "/v1/jobs/{id}/cancel", ADMINS, Contract((_NEW_JOB,), NO_FIELDS, problems=(IllegalMove,)))
def post_job_cancel(call: ApiCall, **parameters: str) -> Response:
    """Ends a job before its next row."""
    return job_answer(call, cancel_job(call.gateway, call.caller, parameters["id"]))
