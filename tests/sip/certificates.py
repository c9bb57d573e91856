"""Self-signed certificates for the edges and functions of tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def issue_certificate(folder: Path, *more_names: str) -> tuple[Path, Path]:
    """Certificate and key as PEM files in `folder`, which is made. `more_names` in OpenSSL's words: `IP:127.0.0.2`."""
    folder.mkdir(parents=True, exist_ok=True)
    pem, key = folder / "certificate.pem", folder / "key.pem"
    names = "subjectAltName=" + ",".join(("DNS:localhost", "DNS:edge.test", "IP:127.0.0.1", *more_names))
    usage = "keyUsage=critical,digitalSignature,keyCertSign"  # Python 3.13 trusts no authority without it
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(  # noqa: S603 - our own command line
        [*command, "-subj", "/CN=edge.test", "-addext", names, "-addext", usage, "-keyout", str(key), "-out", str(pem)],
        check=True,
        capture_output=True,
    )
    return pem, key
