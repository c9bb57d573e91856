"""The forms that a tenant's issuer takes in Entra's tokens. Constant whatever URL Entra is called at.

Source: Microsoft, "Access tokens in the Microsoft identity platform", claims `iss` and `ver`.
"""

from __future__ import annotations

AUTHORITY = "https://login.microsoftonline.com"

_FORMS = {"2.0": AUTHORITY + "/{tid}/v2.0", "1.0": "https://sts.windows.net/{tid}/"}


def issuer_of(tenant_id: str, version: str) -> str | None:
    """The only issuer that a token of this tenant and version (`ver`) may have; None for an unknown version."""
    form = _FORMS.get(version)
    return form.format(tid=tenant_id) if form else None
