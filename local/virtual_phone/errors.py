"""What can go wrong in a virtual phone: one root, one stable `code` for each kind of trouble."""

from __future__ import annotations


class VirtualPhoneError(Exception):
    """The root: whoever drives a phone needs to name only this one."""

    code = "virtual_phone"


class NamespaceError(VirtualPhoneError):
    """This machine cannot give the phones a network of their own; the message says why and what to do."""

    code = "namespace_unavailable"


class PhoneFileError(VirtualPhoneError):
    """A served phone file that a real device would refuse or read differently than meant."""

    code = "malformed_phone_file"


class ScreenError(VirtualPhoneError):
    """A served screen that the device's XML browser would refuse, or a key that is not on it."""

    code = "malformed_screen"


class ProvisioningError(VirtualPhoneError):
    """The files could not be fetched: no connection, no trust, an unexpected status, or nothing there."""

    code = "provisioning_failed"


class SipError(VirtualPhoneError):
    """The SIP client or the server refused: no such program, registration or number."""

    code = "sip_failed"


class NotSeenError(SipError):
    """Something expected was not seen in time; the message says what, and what was seen last."""

    code = "not_seen_in_time"
