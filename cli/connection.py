"""Opens HTTP connections: which certificates are trusted, timeouts, and whether an answer is a JSON object.

It knows neither tokens nor the API's paths.
"""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx

from cli.failures import BadInput, StrangeAnswer
from cli.settings import is_loopback

JsonObject = dict[str, Any]
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # seconds


def open_client(url: str, ca_file: Path | None) -> httpx.Client:
    """A client for that server. A proxy of the environment is not asked for this very machine; redirects are not followed."""
    verify: ssl.SSLContext | bool = True
    if url.startswith("http://"):
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and saves reading every authority for nothing
    elif ca_file is not None:
        try:
            verify = ssl.create_default_context(cafile=str(ca_file))
        except (ssl.SSLError, OSError) as error:
            raise BadInput(f"{ca_file} holds no certificates: {error}", advice="Set SIPGW_CA_FILE to a PEM file.") from error
    return httpx.Client(verify=verify, timeout=_TIMEOUT, trust_env=not is_loopback(url), headers={"Accept": "application/json"})


def parse_object(text: str) -> JsonObject | None:
    """The JSON object in this text; None where it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def expect_object(response: httpx.Response) -> JsonObject:
    """The JSON object of an answer; an empty body is {}. Raises StrangeAnswer."""
    if not response.content.strip():
        return {}
    answer = parse_object(response.text)
    if answer is None:
        kind = response.headers.get("content-type", "no content type")
        raise StrangeAnswer(
            f"{response.url.copy_with(query=None)} answered something that is no JSON object",
            detail=f"status {response.status_code}, {kind}, {len(response.content)} bytes",
            advice="Check that SIPGW_URL is a SIP Gateway.",
        )
    return answer
