"""`python -m sip_edge.agent`: the agent from its environment, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from sip_edge.agent.agent import Agent
from sip_edge.agent.command_source import open_command_source
from sip_edge.agent.functions import Functions
from sip_edge.agent.log import log_event
from sip_edge.agent.metrics import Metrics
from sip_edge.agent.outbox import Outbox
from sip_edge.agent.settings import AgentSettings, BadSetting


async def run_agent(settings: AgentSettings) -> None:
    """Runs until the process is told to stop. What is in the outbox then goes out after the next start."""
    metrics = Metrics()
    functions = Functions(
        settings.functions_url,
        trust_anchor=settings.trust_anchor,
        load_credential=settings.load_credential,
        metrics=metrics,
    )
    outbox = Outbox(settings.outbox, limit=settings.outbox_limit)
    source = open_command_source(settings.commands, settings.id, settings.queue_prefix)
    agent = Agent(settings, functions, outbox, source, metrics)
    work = asyncio.ensure_future(agent.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    log_event("agent_started", edge_id=settings.id, waiting=len(outbox))
    try:
        await work
    except asyncio.CancelledError:
        log_event("agent_stopped", waiting=len(outbox))
    finally:
        await functions.close()
        outbox.close()


def main() -> int:
    """Exit status 2 where a setting is wrong."""
    status = 0
    try:
        settings = AgentSettings.from_environment(os.environ)
        asyncio.run(run_agent(settings))
    except* BadSetting as problems:
        for problem in problems.exceptions:
            log_event("bad_setting", problem=str(problem))
        status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
