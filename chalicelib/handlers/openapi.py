"""The administrators' API as an OpenAPI 3.1 document, made of what its routes declare. Built once, when it is first asked for.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from chalicelib import __version__
from chalicelib.contracts.schema import JsonObject, Keywords, Schemas, fields_of
from chalicelib.domain import errors
from chalicelib.domain.errors import GatewayError
from chalicelib.domain.identifiers import CommandId, Mac, MacText, TenantId, Upn, UpnText
from chalicelib.domain.kept_answer import LONGEST_KEY
from chalicelib.handlers.api import ROUTES, DeclaredRoute, Role
from chalicelib.handlers.changes import KEY_HEADER, REPLAYED_HEADER
from chalicelib.handlers.contract import Answer
from chalicelib.handlers.problems import ProblemDocument, status_of
from chalicelib.usecases.set_policy import PolicyName

OPENAPI = "3.1.0"
PROBLEM = "application/problem+json"
DESCRIPTION = """\
The administrators' API of one region of the SIP Gateway. All data is that of the token's tenant; another tenant's things are
not found. Errors are problem documents (RFC 9457) with a stable `code`. A device's MAC address is understood in any usual
spelling and answered as 12 lower-case hex digits; a further port of a device has its number behind, as in `805ec0123456:002`.
Times are UTC."""
TOKEN = f"""\
An access token of Microsoft Entra ID (RS256) for this API, with one of its app roles: `{Role.ADMIN}` may do everything,
`{Role.TECHNICIAN}` reads and handles devices, `{Role.READER}` reads. Each operation lists its roles as `x-roles`."""

_ID = Annotated[str, Keywords("As it was answered.", example="vgdnxfbkkyzcaxcsvgutl2hcdi")]
VARIABLES: dict[str, Any] = {"mac": MacText, "upn": UpnText, "name": PolicyName, "id": _ID}
NAMED: dict[Any, Keywords] = {
    Mac: Keywords(pattern="^[0-9a-f]{12}(:[0-9]{3})?$", example="805ec0123456"),
    Upn: Keywords(example="anna@example.com"),
    TenantId: Keywords(format="uuid"),
    CommandId: Keywords(example="vgdnxfbkkyzcaxcsvgutl2hcdi"),
}
HEADERS: dict[str, JsonObject] = {
    "Location": {"description": "The path of what was made.", "schema": {"type": "string", "format": "uri-reference"}},
    "Content-Disposition": {"description": "The name to save it under.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that there are, with commas between.", "schema": {"type": "string"}},
    "Retry-After": {"description": "When to try again, in seconds.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "RFC 9110 section 11.6.1.", "schema": {"type": "string"}},
    REPLAYED_HEADER: {
        "description": "`true` where this is the kept answer to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
IDEMPOTENCY_KEY: JsonObject = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key is carried out once within 24 hours, and answered alike.",
    "schema": {
        "type": "string",
        "format": KEY_HEADER,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
        "minLength": 1,
        "maxLength": LONGEST_KEY,
    },
    "example": "4f0c3c1e-9d54-4f7e-9f0e-0d1a3c5b7e21",
}
# Beside what a route declares: what any call may meet, and what comes with a body, a variable, a change, a key.
_ANY = (errors.BadRequest, GatewayError, errors.StoreAway, errors.DirectoryAway, errors.DirectoryRefused)
_WITH_TOKEN = (errors.NotAuthenticated, errors.RoleMissing, errors.IdentityProviderAway)
_WITH_BODY = (errors.PayloadTooLarge, errors.UnsupportedMediaType)
_WITH_KEY = (errors.IdempotencyKeyReused, errors.IdempotencyReplayed, errors.IdempotencyInProgress)


@cache
def openapi_text() -> str:
    """The document of this process's routes, as JSON."""
    return json.dumps(openapi_document(ROUTES), ensure_ascii=False, indent=1)


def openapi_document(routes: Sequence[DeclaredRoute]) -> JsonObject:
    """The document of these routes, in order of their paths."""
    document = _Document({route.path for route in routes})
    paths: dict[str, JsonObject] = {}
    for route in sorted(routes, key=lambda route: route.path):
        paths.setdefault(route.path, {})[route.method.lower()] = document.operation(route)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "SIP Gateway",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The region that serves this document."}],
        "security": [{"entra": []}],
        "tags": [{"name": tag} for tag in sorted({_tag(route) for route in routes})],
        "paths": paths,
        "components": {
            "securitySchemes": {"entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": TOKEN}},
            "parameters": {"IdempotencyKey": IDEMPOTENCY_KEY},
            "headers": HEADERS,
            "responses": dict(sorted(document.responses.items())),
            "schemas": document.schemas.components,
        },
    }


class _Document:
    """Collects what operations share while it renders them."""

    def __init__(self, paths: set[str]) -> None:
        self._paths = paths
        self.schemas = Schemas(NAMED)
        self.responses: dict[str, JsonObject] = {}

    def operation(self, route: DeclaredRoute) -> JsonObject:
        """One method of a path."""
        operation: JsonObject = {"operationId": route.name, "summary": route.summary.rstrip("."), "tags": [_tag(route)]}
        if route.roles:
            operation["x-roles"] = sorted(route.roles)
        else:
            operation["security"] = []
        parameters = [*self._variables(route), *self._query(route)]
        if route.method == "POST":
            parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
        if parameters:
            operation["parameters"] = parameters
        if route.contract.bodies:
            operation["requestBody"] = self._request_body(route)
        operation["responses"] = {**self._successes(route), **self._problems(route)}
        return operation

    def _variables(self, route: DeclaredRoute) -> Iterable[JsonObject]:
        for name in re.findall(r"\{(\w+)\}", route.path):
            yield self._parameter("path", name, {**VARIABLES, **route.contract.path}[name], required=True)

    def _query(self, route: DeclaredRoute) -> Iterable[JsonObject]:
        for kind in route.contract.queries:
            defaults = self.schemas.properties_of(kind)
            for name, _, required in fields_of(kind):
                yield _as_parameter("query", name, defaults[name], required=required)

    def _parameter(self, place: str, name: str, kind: Any, *, required: bool) -> JsonObject:
        return _as_parameter(place, name, self.schemas.schema_of(kind), required=required)

    def _request_body(self, route: DeclaredRoute) -> JsonObject:
        bodies = route.contract.bodies
        content = {body.media_type: {"schema": self.schemas.schema_of(body.kind, closed=body.closed)} for body in bodies}
        return {"required": any(body.required for body in bodies), "content": content}

    def _successes(self, route: DeclaredRoute) -> dict[str, JsonObject]:
        responses: dict[str, JsonObject] = {}
        for answer in route.contract.answers:
            response = responses.setdefault(str(answer.status), _success(answer, keyed=route.method == "POST"))
            if answer.kind is not None:
                content = response.setdefault("content", {})
                content[answer.media_type] = {"schema": self.schemas.schema_of(answer.kind)}
        return responses

    def _problems(self, route: DeclaredRoute) -> dict[str, JsonObject]:
        found: dict[int, list[type[GatewayError]]] = {}
        for kind in (*_problems_of(route), *((errors.MethodNotAllowed,) if self._is_shadowed(route) else ())):
            found.setdefault(status_of(kind()), []).append(kind)
        return {str(status): self._problem(status, kinds) for status, kinds in sorted(found.items())}

    def _is_shadowed(self, route: DeclaredRoute) -> bool:
        """Whether a value of its last variable is a path of its own: `/v1/policies/import` is not a policy."""
        parent, _, last = route.path.rpartition("/")
        return last.startswith("{") and any(path.rpartition("/")[0] == parent for path in self._paths - {route.path})

    def _problem(self, status: int, kinds: list[type[GatewayError]]) -> JsonObject:
        codes = sorted({kind.code for kind in kinds})
        name = f"{status}-{'-'.join(codes)}"
        if name not in self.responses:
            titles = {kind.code: kind.title for kind in kinds}
            headers = ["WWW-Authenticate"] * (status == HTTPStatus.UNAUTHORIZED)
            headers += ["Allow"] * (status == HTTPStatus.METHOD_NOT_ALLOWED)
            headers += ["Retry-After"] * any(issubclass(kind, errors.NotNow) for kind in kinds)
            said = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
            self.responses[name] = {
                "description": "; ".join(f"`{code}`: {titles[code]}" for code in codes) + ".",
                "headers": {header: {"$ref": f"#/components/headers/{header}"} for header in headers},
                "content": {PROBLEM: {"schema": {"allOf": [self.schemas.schema_of(ProblemDocument), said]}}},
            }
        return {"$ref": f"#/components/responses/{name}"}


def _success(answer: Answer, *, keyed: bool) -> JsonObject:
    names = (*answer.headers, *((REPLAYED_HEADER,) if keyed else ()))
    description = answer.description or HTTPStatus(answer.status).phrase
    return {"description": description, "headers": {name: _header(name, always=name in answer.headers) for name in names}}


def _header(name: str, *, always: bool) -> JsonObject:
    return {**HEADERS[name], "required": True} if always else {"$ref": f"#/components/headers/{name}"}


def _as_parameter(place: str, name: str, schema: JsonObject, *, required: bool) -> JsonObject:
    parameter: JsonObject = {"name": name, "in": place, "required": required}
    schema = dict(schema)
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    return {**parameter, "schema": schema}


def _problems_of(route: DeclaredRoute) -> Iterable[type[GatewayError]]:
    yield from dict.fromkeys(
        (
            *_ANY,
            *(_WITH_TOKEN if route.roles else ()),
            *((errors.NotFound,) if "{" in route.path else ()),
            *(_WITH_BODY if route.contract.bodies else ()),
            *((errors.SaveConflict,) if route.method != "GET" else ()),
            *(_WITH_KEY if route.method == "POST" else ()),
            *route.contract.problems,
        )
    )


def _tag(route: DeclaredRoute) -> str:
    """The first word of the path: `/v1/devices/{mac}` is of `devices`."""
    return route.path.split("/")[2].partition(".")[0]
