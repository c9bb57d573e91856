"""Where the region's secrets are read: a file on one machine, Secrets Manager in the cloud."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.secret import Secret
from chalicelib.settings import BadSetting

FEWEST_KEY_CHARACTERS = 32


@dataclass(frozen=True)
class RegionSecrets:
    """`edge_credentials`: two are valid at a time, so that one can be replaced while edges use the other.

    In the cloud a function knows only what it needs: without `edge_credentials` it lets no edge in.
    """

    region_key: Secret
    edge_credentials: tuple[Secret, ...]
    entra_client_secret: Secret


def load_secrets(source: str) -> RegionSecrets:
    """Reads `file:PATH` or `secretsmanager:ARN[,ARN…]`. Raises BadSetting that says what is missing, never what is there."""
    scheme, _, place = source.partition(":")
    if scheme == "file":
        secrets = _parse([_read_file(place)])
        if not secrets.edge_credentials:
            raise BadSetting("The secrets need edge_credentials, with at least one entry")
        return secrets
    if scheme == "secretsmanager":
        return _parse(_read_secrets_manager(place.split(",")))
    raise BadSetting("SIPGW_SECRETS_SOURCE must begin with file: or secretsmanager:")


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadSetting(f"SIPGW_SECRETS_SOURCE names {path}, which cannot be read: {error.strerror}") from None


def _read_secrets_manager(arns: Sequence[str]) -> list[str]:
    from chalicelib.adapters.aws import make_client  # noqa: PLC0415 - one machine does not load botocore

    region = arns[0].split(":")[3] if arns[0].startswith("arn:") else None  # a secret's name will do: it lies in our region
    client = make_client("secretsmanager", region=region)
    return [str(client.get_secret_value(SecretId=arn)["SecretString"]) for arn in arns]


def _parse(texts: Sequence[str]) -> RegionSecrets:
    """Each text is a JSON object with some of them. A new edge credential stands alone, as text, until its first rotation."""
    try:
        data: dict[str, Any] = {}
        for text in texts:
            data |= json.loads(text)
        region_key = str(data["region_key"])
        credentials = data.get("edge_credentials", ())
        secrets = RegionSecrets(
            region_key=Secret(region_key),
            edge_credentials=tuple(
                Secret(str(item)) for item in ([credentials] if isinstance(credentials, str) else credentials) if item
            ),
            entra_client_secret=Secret(str(data.get("entra_client_secret", ""))),
        )
    except (ValueError, KeyError, TypeError):
        raise BadSetting(
            "The secrets must be JSON with region_key, edge_credentials (a list) and entra_client_secret"
        ) from None
    if len(region_key) < FEWEST_KEY_CHARACTERS:
        raise BadSetting("region_key needs 32 characters or more")
    return secrets
