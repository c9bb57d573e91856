"""What phones ask for: stage 1 by their MAC, everything else under their own token."""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Blueprint, Response

from chalicelib import __version__
from chalicelib.domain.errors import GatewayError, NotFound
from chalicelib.domain.identifiers import Language, TenantId, find_language, parse_tenant_id
from chalicelib.handlers.answers import NO_STORE, Headers, plain_404, problem_answer
from chalicelib.handlers.requests import HttpCall, read_call
from chalicelib.observability import log
from chalicelib.usecases.bootstrap_device import BootstrapRequest, bootstrap_device
from chalicelib.usecases.keep_upload import UploadRequest, keep_upload
from chalicelib.usecases.serve_phone_file import TokenRequest, serve_phone_file
from chalicelib.usecases.show_screen import ScreenRequest, show_screen
from chalicelib.vendors.files import PhoneFile
from chalicelib.wiring import gateway

blueprint = Blueprint(__name__)
_READ = ["GET", "HEAD"]
_SEND = ["PUT", "POST"]
_ANY_TYPE = ["*/*"]
_LONGEST_NAME = 128
_TENANT_WORD = "tenantid"
_SCREEN_WORD = "ui"
_API_WORD = "v1"  # administrators' paths have routes of their own; what comes here is one that does not exist


@blueprint.route("/healthz", methods=_READ, content_types=_ANY_TYPE)
def get_health() -> Response:
    """Whether this function answers."""
    return Response({"status": "ok", "version": __version__}, headers=dict(NO_STORE))


@blueprint.route("/{p1}", methods=_READ, content_types=_ANY_TYPE)
def stage_one_file(p1: str) -> Response:
    """`/FILE`."""
    return _stage_one([p1])


@blueprint.route("/{p1}/{p2}", methods=_READ, content_types=_ANY_TYPE)
def stage_one_with_language(p1: str, p2: str) -> Response:
    """`/lang_xx/FILE`."""
    return _stage_one([p1, p2])


@blueprint.route("/{p1}/{p2}/{p3}", methods=_READ, content_types=_ANY_TYPE)
def stage_one_with_tenant(p1: str, p2: str, p3: str) -> Response:
    """`/tenantid/GUID/FILE`."""
    return _stage_one([p1, p2, p3])


@blueprint.route("/{p1}/{p2}/{p3}/{p4}", methods=_READ, content_types=_ANY_TYPE)
def stage_one_with_both(p1: str, p2: str, p3: str, p4: str) -> Response:
    """`/lang_xx/tenantid/GUID/FILE` or `/tenantid/GUID/lang_xx/FILE`."""
    return _stage_one([p1, p2, p3, p4])


@blueprint.route("/d/{p2}/{p3}", methods=_READ, content_types=_ANY_TYPE)
def token_file(p2: str, p3: str) -> Response:
    """`/d/TOKEN/FILE`."""
    return _under_token(p2, [p3])


@blueprint.route("/d/{p2}/{p3}/{p4}", methods=_READ, content_types=_ANY_TYPE)
def token_file_with_language(p2: str, p3: str, p4: str) -> Response:
    """`/d/TOKEN/lang_xx/FILE` or `/d/TOKEN/ui/SCREEN`."""
    return _under_token(p2, [p3, p4])


@blueprint.route("/d/{p2}/{p3}/{p4}/{p5}", methods=_READ, content_types=_ANY_TYPE)
def token_screen_with_language(p2: str, p3: str, p4: str, p5: str) -> Response:
    """`/d/TOKEN/lang_xx/ui/SCREEN`."""
    return _under_token(p2, [p3, p4, p5])


@blueprint.route("/d/{p2}/{p3}", methods=_SEND, content_types=_ANY_TYPE)
def token_upload(p2: str, p3: str) -> Response:
    """`PUT /d/TOKEN/FILE`."""
    return _upload(p2, [p3])


@blueprint.route("/d/{p2}/{p3}/{p4}", methods=_SEND, content_types=_ANY_TYPE)
def token_upload_with_language(p2: str, p3: str, p4: str) -> Response:
    """`PUT /d/TOKEN/lang_xx/FILE`."""
    return _upload(p2, [p3, p4])


def _upload(token: str, segments: list[str]) -> Response:
    return _run(lambda call: _answer_upload(token, segments, call))


def _answer_upload(token: str, segments: list[str], call: HttpCall) -> Response:
    name = segments[-1]
    if (len(segments) > 1 and not segments[0].startswith("lang_")) or len(name) > _LONGEST_NAME:
        return plain_404()
    request = UploadRequest(token, name, call.headers.get("content-type", ""), call.body, call.address)
    kept = keep_upload(gateway(), request)
    return Response("", status_code=201, headers=dict(NO_STORE)) if kept else plain_404()


def _stage_one(segments: list[str]) -> Response:
    def act(call: HttpCall) -> Response:
        if segments[0] == _API_WORD:
            raise NotFound("There is no such path. GET /v1/openapi.json has all of them.")
        request = _read_stage_one(segments, call)
        return _file_answer(bootstrap_device(gateway(), request) if request else None, call)

    return _run(act)


def _read_stage_one(segments: list[str], call: HttpCall) -> BootstrapRequest | None:
    """The words before the file name, each at most once; None where there is another."""
    language: Language | None = None
    tenant_id: TenantId | None = None
    words, file_name = segments[:-1], segments[-1]
    while words:
        word = words.pop(0)
        if word == _TENANT_WORD and tenant_id is None and words:
            tenant_id = parse_tenant_id(words.pop(0).lower())
            if tenant_id is None:
                return None
        elif word.startswith("lang_") and language is None:
            language = find_language(word) or Language.EN
        else:
            return None
    if len(file_name) > _LONGEST_NAME:
        return None
    return BootstrapRequest(file_name, call.user_agent, call.address, language, tenant_id, call.certificate_subject)


def _under_token(token: str, segments: list[str]) -> Response:
    """The language word only chose the files at stage 1; the installation knows its language, so it is skipped here."""
    return _run(lambda call: _answer_under_token(token, segments, call))


def _answer_under_token(token: str, segments: list[str], call: HttpCall) -> Response:
    if segments[0].startswith("lang_"):
        segments = segments[1:]
    if len(segments) == 1 and len(segments[0]) <= _LONGEST_NAME:
        return _file_answer(serve_phone_file(gateway(), TokenRequest(token, segments[0], call.user_agent)), call)
    if segments and segments[0] == _SCREEN_WORD and call.method == "GET":
        document = show_screen(gateway(), ScreenRequest(token, segments[1]))
        if document is not None:
            headers: Headers = {**NO_STORE, "Content-Type": document.content_type}
            if document.refresh:
                headers["Refresh"] = document.refresh
            return Response(document.body, headers=headers)
    return plain_404()


def _run(act: Callable[[HttpCall], Response]) -> Response:
    """Runs one action; a store that is away is 503, so that the phone keeps what it has and asks again."""
    call = read_call(blueprint.current_request)
    try:
        return act(call)
    except GatewayError as error:
        return problem_answer(error, call.request_id)
    except Exception:  # noqa: BLE001 - the outermost loop: a phone gets an answer whatever happened
        log().exception("unexpected_error", extra={"request_id": call.request_id})
        return problem_answer(GatewayError(), call.request_id)


def _file_answer(file: PhoneFile | None, call: HttpCall) -> Response:
    if file is None:
        return plain_404()
    headers: Headers = {**NO_STORE, "Content-Type": file.content_type, "ETag": file.etag}
    known = [tag.strip().removeprefix("W/") for tag in call.headers.get("if-none-match", "").split(",")]
    if file.etag in known or "*" in known:  # RFC 9110 13.1.2
        return Response("", status_code=304, headers={**NO_STORE, "ETag": file.etag})
    return Response(file.body, headers=headers)
