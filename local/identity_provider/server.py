"""The development identity provider over HTTP: Entra's paths in front of grants.py and pages.py."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import secrets
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from local.http_server import LocalServer
from local.identity_provider import pages
from local.identity_provider.grants import DEVICE_CODE_GRANT, AuthorizationRequest, Grants, ProtocolError, is_tenant
from local.identity_provider.tokens import ISSUER

_MAX_BODY_BYTES = 65_536
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_SHEET = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class IdentityServer(LocalServer):
    """`public_url` is what browsers call."""

    def __init__(self, address: tuple[str, int], grants: Grants, public_url: str = "") -> None:
        self.grants = grants
        super().__init__(address, _Handler)
        self.public_url = public_url or f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: IdentityServer
    protocol_version = "HTTP/1.1"
    server_version = "development-identity-provider"
    sys_version = ""
    timeout = 30
    wbufsize = -1  # head and body in one segment: two would wait 40 ms for each other (Nagle and delayed ACK)
    disable_nagle_algorithm = True

    _GET: ClassVar = {
        "/v2.0/.well-known/openid-configuration": "_show_configuration",
        "/.well-known/openid-configuration": "_show_configuration",
        "/discovery/v2.0/keys": "_show_keys",
        "/discovery/keys": "_show_keys",
        "/oauth2/v2.0/authorize": "_ask_who",
        "/oauth2/v2.0/logout": "_sign_out",
    }
    _POST: ClassVar = {
        "/oauth2/v2.0/authorize": "_hear_who",
        "/oauth2/v2.0/token": "_issue_tokens",
        "/oauth2/v2.0/devicecode": "_start_device_code",
    }

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        fields = dict(parse_qsl(url.query, keep_blank_values=True))
        people = self.server.grants.accounts.people.values()
        match url.path:
            case "/healthz":
                self._send_json({"status": "ok"})
            case "/":
                self._send_page(pages.home_page(people))
            case "/devicelogin":
                self._send_page(pages.device_page(people, fields.get("user_code", "")))
            case _:
                self._dispatch(self._GET, url.path, fields)

    def do_POST(self) -> None:
        fields = self._read_form()
        if fields is None:
            return
        match urlsplit(self.path).path:
            case "/development/rotate-keys" if self._from_loopback():
                self._send_json({"kid": self.server.grants.keys.rotate()})
            case "/devicelogin":
                self._hear_device_code(fields)
            case path:
                self._dispatch(self._POST, path, fields)

    def _dispatch(self, table: Mapping[str, str], path: str, fields: dict[str, str]) -> None:
        authority, slash, rest = path.lstrip("/").partition("/")
        name = table.get(slash + rest)
        if name is None or not is_tenant(authority):
            self._send_json({"error": "not_found"}, 404)
            return
        try:
            getattr(self, name)(authority, fields)
        except ProtocolError as error:
            if "/authorize" in path:
                self._send_page(pages.message_page("This sign-in cannot go on", error.description), status=error.status)
            else:
                self._send_json({"error": error.error, "error_description": error.description}, error.status)

    def _show_configuration(self, authority: str, _: Mapping[str, str]) -> None:
        host = self.headers.get("Host", "")
        base = f"http://{host}" if _HOST.fullmatch(host) else self.server.public_url
        tenant = "{tenantid}" if authority in {"common", "organizations"} else authority
        self._send_json(
            {
                "issuer": ISSUER.format(tid=tenant),
                "authorization_endpoint": f"{self.server.public_url}/{authority}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/{authority}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/{authority}/oauth2/v2.0/devicecode",
                "end_session_endpoint": f"{self.server.public_url}/{authority}/oauth2/v2.0/logout",
                "jwks_uri": f"{base}/{authority}/discovery/v2.0/keys",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query", "form_post"],
                "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", DEVICE_CODE_GRANT],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["pairwise"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }
        )

    def _show_keys(self, _: str, __: Mapping[str, str]) -> None:
        self._send_json(self.server.grants.keys.key_set())

    def _ask_who(self, authority: str, fields: dict[str, str]) -> None:
        request = self.server.grants.parse_authorization(fields)
        people = self.server.grants.accounts.people.values()
        choose_tenant = authority in {"common", "organizations"}
        self._send_page(pages.sign_in_page(people, fields, request.application.id, choose_tenant=choose_tenant))

    def _hear_who(self, authority: str, fields: dict[str, str]) -> None:
        chosen = {name: fields.pop(name, "") for name in ("login_user", "login_tenant", "cancel")}
        request = self.server.grants.parse_authorization(fields)
        if chosen["cancel"]:
            refusal = {"error": "access_denied", "error_description": "AADSTS65004: the person cancelled"}
            self._go_back(request, {**refusal, **({"state": fields["state"]} if "state" in fields else {})})
            return
        person = self.server.grants.accounts.person(chosen["login_user"])
        if person is None:
            raise ProtocolError("invalid_request", "A user name looks like anna@example.com; go back and try again.")
        self._go_back(request, self.server.grants.issue_code(authority, request, person, chosen["login_tenant"].strip()))

    def _go_back(self, request: AuthorizationRequest, parameters: Mapping[str, str]) -> None:
        if request.response_mode == "form_post":
            nonce = secrets.token_urlsafe(16)
            self._send_page(pages.go_back_page(request.redirect_uri, parameters, nonce), script_nonce=nonce)
            return
        mark = "&" if "?" in request.redirect_uri else "?"
        self._send(b"", 302, {"Location": f"{request.redirect_uri}{mark}{urlencode(parameters)}"})

    def _sign_out(self, _: str, __: Mapping[str, str]) -> None:
        self._send_page(pages.message_page("You are signed out", "You can close this window."))

    def _issue_tokens(self, authority: str, fields: dict[str, str]) -> None:
        credentials = {**fields, **self._basic_credentials()}
        self._send_json(self.server.grants.redeem(authority, credentials, from_loopback=self._from_loopback()))

    def _start_device_code(self, authority: str, fields: dict[str, str]) -> None:
        page = f"{self.server.public_url}/devicelogin"
        self._send_json(self.server.grants.start_device_code(authority, fields, page))

    def _hear_device_code(self, fields: Mapping[str, str]) -> None:
        accounts, code = self.server.grants.accounts, fields.get("user_code", "")
        person = None if fields.get("cancel") else accounts.person(fields.get("login_user", ""))
        if person and person.roles and not self._from_loopback():
            problem = "Administrators sign in on the gateway's own machine only."
        elif person is None and not fields.get("cancel"):
            problem = "A user name looks like anna@example.com."
        elif self.server.grants.decide_device_code(code, person):
            self._send_page(pages.message_page("Done", "You can close this window and go back to the other device."))
            return
        else:
            problem = "No sign-in waits under this code."
        self._send_page(pages.device_page(accounts.people.values(), code, problem), status=400)

    def _basic_credentials(self) -> dict[str, str]:
        """RFC 6749 section 2.3.1."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return {}
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return {}
        return {"client_id": unquote(client_id), "client_secret": unquote(secret)}

    def _from_loopback(self) -> bool:
        return ipaddress.ip_address(self.client_address[0]).is_loopback

    def _read_form(self) -> dict[str, str] | None:
        """None where the body was refused."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send_json({"error": "invalid_request", "error_description": "the body is too large"}, 413)
            return None
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        return dict(parse_qsl(body, keep_blank_values=True))

    def _send_json(self, document: Mapping[str, Any], status: int = 200) -> None:
        self._send(json.dumps(document).encode(), status, {"Content-Type": "application/json"})

    def _send_page(self, html: str, *, status: int = 200, script_nonce: str = "") -> None:
        policy = _SHEET + (f"; script-src 'nonce-{script_nonce}'" if script_nonce else "")
        self._send(html.encode(), status, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy})

    def _send(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        fixed = {"Content-Length": str(len(body)), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, _: str, *__: Any) -> None:
        """Silent: a request line here carries codes. What matters is logged by log_request."""

    def log_request(self, code: int | str = "-", _: int | str = "-") -> None:
        """One JSON line without the query."""
        path = urlsplit(self.path).path[:200]
        if path != "/healthz":
            sys.stdout.write(
                json.dumps({"event": "identity_request", "method": self.command, "path": path, "status": code}) + "\n"
            )
            sys.stdout.flush()
