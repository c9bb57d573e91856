"""A person signs in on the web: the flow at the identity provider stays on the server, bound to the browser that began it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hmac import compare_digest

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import FormExpired, SignInFailed
from chalicelib.domain.secret import Secret
from chalicelib.domain.web import FLOW_LIFETIME, SESSION_LIFETIME, SignInFlow, WebSession
from chalicelib.usecases.ports import Gateway

CALLBACK_PATH = "/auth/callback"


@dataclass(frozen=True)
class BegunSignIn:
    """Where the browser goes next, and the cookie that ties the answer to it."""

    authorization_url: str
    browser_cookie: Secret


def start_sign_in(gateway: Gateway, language: str) -> BegunSignIn:
    """Begins the authorization-code flow. One write. Raises IdentityProviderAway."""
    url, flow = gateway.web_sign_in.start(f"{gateway.settings.browser_url}{CALLBACK_PATH}", language)
    cookie = gateway.random_text()
    record = SignInFlow(
        digest=gateway.keys.digest("state", str(flow["state"])),
        browser_digest=gateway.keys.digest("browser", cookie),
        expires_at=gateway.clock() + FLOW_LIFETIME,
        flow={**flow, "page_language": language},
    )
    gateway.store.save(record)
    return BegunSignIn(url, Secret(cookie))


def finish_sign_in(gateway: Gateway, query: Mapping[str, str], browser_cookie: str) -> tuple[Secret, str]:
    """The new session's cookie, and the language of its pages. A flow is finished once, in the browser that began it."""
    flow = gateway.store.load(SignInFlow, gateway.keys.digest("state", query.get("state", "")))
    browser_digest = gateway.keys.digest("browser", browser_cookie)
    if flow is None or not compare_digest(flow.browser_digest, browser_digest):
        raise SignInFailed("This sign-in was begun elsewhere, or too long ago. Start again.")
    gateway.store.save(remove=[flow])
    begun = dict(flow.flow)
    language = str(begun.pop("page_language", "en"))
    person = gateway.web_sign_in.finish(begun, query)
    cookie = gateway.random_text()
    session = WebSession(
        digest=gateway.keys.digest("session", cookie),
        tenant_id=person.tenant_id,
        upn=person.upn,
        name=person.name,
        expires_at=gateway.clock() + SESSION_LIFETIME,
    )
    gateway.store.save(session)
    return Secret(cookie), language


def load_session(gateway: Gateway, cookie: str) -> WebSession | None:
    """The session of this cookie, or None. One read, none without a cookie."""
    return gateway.store.load(WebSession, gateway.keys.digest("session", cookie)) if cookie else None


def form_token(gateway: Gateway, cookie: str) -> str:
    """What every form of this session carries."""
    return gateway.keys.digest("form", cookie)


def check_form(gateway: Gateway, cookie: str, token: str) -> WebSession:
    """The session of a posted form. Raises FormExpired where the form is not this session's."""
    session = load_session(gateway, cookie)
    if session is None or not compare_digest(form_token(gateway, cookie).encode(), token.encode()):
        raise FormExpired("Sign in again; nothing was changed.")
    return session


def drop_pairing(gateway: Gateway, session: WebSession) -> None:
    """The person went back: no phone is about to be confirmed."""
    gateway.store.save(replace(session, pairing_digest=""))


def end_session(gateway: Gateway, session: WebSession) -> None:
    """The browser's session is over."""
    gateway.store.save(remove=[session])
