"""Self-signed certificates for the edges and functions of tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

EDGE_NAMES = "DNS:localhost,DNS:edge.test,IP:127.0.0.1"


def issue_certificate(folder: Path, *, names: str = EDGE_NAMES, common_name: str = "edge.test") -> tuple[Path, Path]:
    """Certificate and key as PEM files in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    pem, key = folder / "certificate.pem", folder / "key.pem"
    usage = "keyUsage=critical,digitalSignature,keyCertSign"  # Python 3.13 trusts no authority without it
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(  # noqa: S603 - our own command line
        [
            *command,
            "-subj",
            f"/CN={common_name}",
            "-addext",
            f"subjectAltName={names}",
            "-addext",
            usage,
            "-keyout",
            str(key),
            "-out",
            str(pem),
        ],
        check=True,
        capture_output=True,
    )
    return pem, key
