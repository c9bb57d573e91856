"""Reads an XML document as narrowly as a desk phone's parser does: no types, no entities, well-formed or nothing."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from local.virtual_phone.errors import VirtualPhoneError


def parse_xml(content: bytes, error: type[VirtualPhoneError]) -> ET.Element:
    """The root element. Raises `error` that says what a device would stumble over."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise error("the document declares a type or entities, which the phone does not read")
    try:
        return ET.fromstring(content)  # noqa: S314 - entities were refused above
    except (ET.ParseError, LookupError, ValueError) as reason:  # unknown and multi-byte encodings raise the last two
        raise error(f"the document is not well-formed: {reason}") from None
