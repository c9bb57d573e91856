"""Which way commands come in, as the settings say."""

from __future__ import annotations

from sip_edge.agent.commands import CommandSource, NoCommands, SqsCommands, UnixSocketCommands


def open_command_source(address: str, edge_id: str = "", queue_prefix: str = "") -> CommandSource:
    """`unix:PATH`, `sns:TOPIC_ARN` (a queue of its own), `sqs:QUEUE_URL`, or empty for none."""
    kind, _, rest = address.partition(":")
    if kind == "sns":
        from sip_edge.agent.own_queue import open_own_queue  # noqa: PLC0415 - loads botocore, which a local edge does not need

        return open_own_queue(rest, edge_id, queue_prefix)
    if kind == "unix":
        return UnixSocketCommands(rest)
    return SqsCommands(rest) if kind == "sqs" else NoCommands()
