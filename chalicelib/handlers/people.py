"""`/pair`: pages for the person who signs in. Server-rendered, without scripts, in the browser's language."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from chalice.app import Blueprint, Response

from chalicelib.domain.errors import GatewayError, SignInFailed, SlowDown
from chalicelib.domain.web import SESSION_LIFETIME, WebSession
from chalicelib.handlers.answers import NO_STORE, Headers
from chalicelib.handlers.page import CONTENT_SECURITY_POLICY, PageWords, page_language, render_page
from chalicelib.handlers.problems import status_of
from chalicelib.handlers.requests import HttpCall, parse_text, read_call
from chalicelib.observability import log
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.redeem_pairing import PhoneToPair, check_sign_in, find_pairing, redeem_pairing
from chalicelib.usecases.sign_in_person import (
    check_form,
    drop_pairing,
    end_session,
    finish_sign_in,
    form_token,
    load_session,
    start_sign_in,
)
from chalicelib.wiring import gateway

blueprint = Blueprint(__name__)
SESSION_COOKIE = "__Host-session"
FLOW_COOKIE = "__Host-flow"
_ANY_TYPE = ["*/*"]
_COOKIE_RULES = "; Path=/; Secure; HttpOnly; SameSite=Lax"
_SECURITY_HEADERS: Headers = {
    **NO_STORE,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
Action = Callable[[Gateway, HttpCall, PageWords], Response]


@blueprint.route("/", methods=["GET"], content_types=_ANY_TYPE)
def get_root() -> Response:
    """A browser that opens the bare host."""
    return _redirect("/pair")


@blueprint.route("/pair", methods=["GET"], content_types=_ANY_TYPE)
def get_pair() -> Response:
    """Sign in; or, signed in, type the code."""
    return _run(_pair)


@blueprint.route("/pair/sign-in", methods=["GET"], content_types=_ANY_TYPE)
def get_sign_in() -> Response:
    """On to the identity provider."""

    def act(own: Gateway, _http: HttpCall, words: PageWords) -> Response:
        begun = start_sign_in(own, words.language)
        return _redirect(begun.authorization_url, f"{FLOW_COOKIE}={begun.browser_cookie.reveal()}; Max-Age=900{_COOKIE_RULES}")

    return _run(act)


@blueprint.route("/auth/callback", methods=["GET"], content_types=_ANY_TYPE)
def get_callback() -> Response:
    """Back from the identity provider."""

    def act(own: Gateway, http: HttpCall, _words: PageWords) -> Response:
        cookie, language = finish_sign_in(own, http.query, _cookie(http, FLOW_COOKIE))
        age = int(SESSION_LIFETIME.total_seconds())
        return _redirect(f"/pair?lang={language}", f"{SESSION_COOKIE}={cookie.reveal()}; Max-Age={age}{_COOKIE_RULES}")

    return _run(act)


@blueprint.route("/pair/code", methods=["POST"], content_types=_ANY_TYPE)
def post_code() -> Response:
    """The pairing code; shows which phone it is."""

    def act(own: Gateway, http: HttpCall, words: PageWords) -> Response:
        form, session = _checked_form(own, http)
        try:
            phone = find_pairing(own, session, form.get("code", ""), http.address)
        except GatewayError as refusal:
            return _code_page(own, http, words, session, refusal)
        return _confirm_page(own, http, words, phone)

    return _run(act)


@blueprint.route("/pair/confirm", methods=["POST"], content_types=_ANY_TYPE)
def post_confirm() -> Response:
    """Pairs the phone, or goes back to the code."""

    def act(own: Gateway, http: HttpCall, words: PageWords) -> Response:
        form, session = _checked_form(own, http)
        if form.get("answer") != "yes":
            drop_pairing(own, session)
            return _redirect(f"/pair?lang={words.language}")
        phone = redeem_pairing(own, session, http.address)
        done = load_session(own, _cookie(http, SESSION_COOKIE))
        if done is not None:
            drop_pairing(own, done)
        return _page(words, "done.html.j2", phone=phone)

    return _run(act)


@blueprint.route("/pair/sign-out", methods=["POST"], content_types=_ANY_TYPE)
def post_sign_out() -> Response:
    """Ends the browser's session: another person may sign in."""

    def act(own: Gateway, http: HttpCall, words: PageWords) -> Response:
        _, session = _checked_form(own, http)
        end_session(own, session)
        return _redirect(f"/pair?lang={words.language}", f"{SESSION_COOKIE}=; Max-Age=0{_COOKIE_RULES}")

    return _run(act)


def _pair(own: Gateway, http: HttpCall, words: PageWords) -> Response:
    session = load_session(own, _cookie(http, SESSION_COOKIE))
    if session is None:
        return _page(words, "sign_in.html.j2")
    check_sign_in(own, session, http.address)
    return _code_page(own, http, words, session, None)


def _code_page(own: Gateway, http: HttpCall, words: PageWords, session: WebSession, refusal: GatewayError | None) -> Response:
    status = status_of(refusal) if refusal else 200
    return _page(
        words,
        "code.html.j2",
        status,
        name=session.name,
        upn=session.upn,
        refusal=refusal,
        locked=isinstance(refusal, SlowDown),
        form_token=form_token(own, _cookie(http, SESSION_COOKIE)),
    )


def _confirm_page(own: Gateway, http: HttpCall, words: PageWords, phone: PhoneToPair) -> Response:
    return _page(words, "confirm.html.j2", phone=phone, form_token=form_token(own, _cookie(http, SESSION_COOKIE)))


def _checked_form(own: Gateway, http: HttpCall) -> tuple[dict[str, str], WebSession]:
    fields = {name: values[-1] for name, values in parse_qs(parse_text(http), keep_blank_values=True).items()}
    return fields, check_form(own, _cookie(http, SESSION_COOKIE), fields.get("form_token", ""))


def _run(act: Action) -> Response:
    """Runs one action in the browser's language; what it raises becomes a page that says what to do."""
    http = read_call(blueprint.current_request)
    words = page_language(http.query.get("lang"), http.headers.get("accept-language", ""))
    try:
        return act(gateway(), http, words)
    except GatewayError as error:
        return _error_page(words, error, http)
    except Exception:  # noqa: BLE001 - the outermost loop: a person gets a page whatever happened
        log().exception("unexpected_error", extra={"request_id": http.request_id})
        return _error_page(words, GatewayError(), http)


def _error_page(words: PageWords, error: GatewayError, http: HttpCall) -> Response:
    again = isinstance(error, SignInFailed) or status_of(error) >= 500  # noqa: PLR2004 - server errors
    own = gateway()
    cookie = _cookie(http, SESSION_COOKIE)
    token = form_token(own, cookie) if cookie else ""
    return _page(
        words, "error.html.j2", status_of(error), error=error, again=again, form_token=token, request_id=http.request_id
    )


def _page(words: PageWords, template: str, status: int = 200, **values: object) -> Response:
    headers: Headers = {**_SECURITY_HEADERS, "Content-Language": words.language}
    return Response(render_page(words, template, **values), status_code=status, headers=headers)


def _redirect(place: str, cookie: str = "") -> Response:
    headers: Headers = {**NO_STORE, "Location": place, "Referrer-Policy": "no-referrer"}
    if cookie:
        headers["Set-Cookie"] = cookie
    return Response("", status_code=303, headers=headers)


def _cookie(http: HttpCall, name: str) -> str:
    try:
        found = SimpleCookie(http.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
