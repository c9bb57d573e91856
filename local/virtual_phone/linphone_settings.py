"""Writes the linphonerc that makes linphone-daemon behave as the account says, and as nothing but the account says.

Values were found by trial against liblinphone 5.1.65 (Debian 12); each one that is not obvious says why it is there.
"""

from __future__ import annotations

from pathlib import Path

from local.virtual_phone.account import MediaEncryption, PhoneAccount
from local.virtual_phone.errors import SipError

_SRTP = {
    MediaEncryption.OFF: ("none", 0),
    MediaEncryption.OPTIONAL: ("srtp", 0),
    MediaEncryption.COMPULSORY: ("srtp", 1),
}


def render_linphonerc(account: PhoneAccount, *, user_agent: str, trust_anchor: Path) -> str:
    """The file's text; it holds the password, so it belongs into a private directory. Raises SipError for odd values."""
    encryption, compulsory = _SRTP[account.media_encryption]
    sections = {
        "sip": {
            "ipv6_migration_done": "1",  # without it use_ipv6 is dropped, and every name waits 3 s for an AAAA record
            "use_ipv6": "0",
            "sip_port": "-1",  # -1: any free port, so that several phones share the machine
            "sip_tcp_port": "-1",
            "sip_tls_port": "-1",
            "user_agent": user_agent,
            "supported": "replaces",  # linphone would add gruu and outbound, which no Yealink asks for
            "refresher_retry_after": "30000",  # milliseconds; as a Yealink's reg_fail_retry_interval, where linphone waits 60 s
            "default_proxy": "0",
            "root_ca": str(trust_anchor),
            "verify_server_certs": "1",
            "verify_server_cn": "1",
            "guess_hostname": "1",
            "media_encryption": encryption,
            "media_encryption_mandatory": str(compulsory),
        },
        "net": {"dns_srv_enabled": "0"},  # the account names host and port
        "rtp": {"audio_rtp_port": "-1", "video_rtp_port": "-1", "text_rtp_port": "-1"},
        # No realm: the phone answers whatever realm challenges it, with the one password it was given.
        "auth_info_0": {
            "username": account.aor[4:].rpartition("@")[0],
            "userid": account.auth_name,
            "passwd": account.password,
        },
        "proxy_0": _proxy(account),
    }
    return "".join(_section(name, values) for name, values in sections.items())


def _proxy(account: PhoneAccount) -> dict[str, str]:
    values = {
        "reg_proxy": f"<{account.server.uri}>",
        "reg_identity": f"{_quoted(account.display_name)}<{account.aor}>",
        "reg_expires": str(account.expires_seconds),
        "reg_sendregister": "1",
        "publish": "0",
    }
    next_hop = account.outbound_proxy or (account.server if account.domain != account.server.address else None)
    if next_hop is not None:  # otherwise linphone would look the AOR's domain up for calls; it then adds Route headers
        values["reg_route"] = f"<{next_hop.uri};lr>"
    return values


def _quoted(display_name: str) -> str:
    escaped = display_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" ' if escaped else ""


def _section(name: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        if any(ord(character) < ord(" ") for character in value):
            raise SipError(f"the account's value for {key} holds a control character")
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items()) + "\n"
