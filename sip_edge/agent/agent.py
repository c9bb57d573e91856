"""The agent: joins the link, the functions, the outbox and the commands. Each fact from Kamailio has one method here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.contracts.edge import EdgeCommand, EdgeEvent, EventType
from sip_edge.agent.certificate import CertificateWatch
from sip_edge.agent.commander import Commander
from sip_edge.agent.commands import CommandSource
from sip_edge.agent.control import Control
from sip_edge.agent.core.answers import (
    answer_credentials,
    answer_credentials_later,
    answer_verdict,
    answer_verdict_later,
)
from sip_edge.agent.core.delivery import Pace
from sip_edge.agent.core.exposition import Family, Sample
from sip_edge.agent.core.messages import (
    BindingReport,
    CredentialsWanted,
    EdgeState,
    Fact,
    NotifyResult,
    RouteWanted,
    VerdictWanted,
    event_of,
)
from sip_edge.agent.core.newest import Newest
from sip_edge.agent.core.records import UnusableCredentials
from sip_edge.agent.core.routes import answer_route, answer_route_late
from sip_edge.agent.functions import Functions, FunctionsError
from sip_edge.agent.known_bindings import KnownBindings
from sip_edge.agent.link import Link
from sip_edge.agent.log import log_event
from sip_edge.agent.media_watch import MediaWatch
from sip_edge.agent.metrics import Metrics
from sip_edge.agent.monitor import Monitor
from sip_edge.agent.outbox import Outbox
from sip_edge.agent.poster import Poster
from sip_edge.agent.settings import AgentSettings


class Agent:
    """One agent beside one Kamailio. `run` works until cancelled."""

    def __init__(
        self, settings: AgentSettings, functions: Functions, outbox: Outbox, source: CommandSource, metrics: Metrics
    ) -> None:
        self._id = settings.id
        self._contact = f"sip:{settings.private_address};transport=tcp" if settings.private_address else ""
        self._announcements = frozenset(file.stem for file in Path(settings.announcements).glob("en/*.wav"))
        self._functions = functions
        self._outbox = outbox
        self._source = source
        self._link = Link(settings.evapi, on_facts=self._receive, on_down=self._lose_link)
        self._metrics = metrics
        self._commander = Commander(
            send=self._link.send, on_finished=self._report_command, on_refresh=self._refresh, metrics=metrics
        )
        self._bindings = KnownBindings(settings.id)
        self._poster = Poster(
            self._bindings,
            functions,
            outbox,
            on_command=self._commander.accept,
            pace=Pace(settings.heartbeat_seconds, settings.report_linger_seconds),
        )
        self._media = MediaWatch(settings.media_control, send=self._link.send, linked=lambda: self._link.is_up)
        self._silence = timedelta(seconds=settings.report_seconds + settings.expires_max + settings.silence_spare_seconds)
        self._look_seconds = settings.heartbeat_seconds
        control = Control(settings.run_directory)
        self._monitor = Monitor(settings.metrics, control, read_problem=self._read_problem, read_families=self._read_families)
        self._certificate = CertificateWatch(settings, metrics)
        self._answering: set[asyncio.Task[None]] = set()
        self._credentials_asked = Newest()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._link.run())
            parts.create_task(self._poster.run())
            parts.create_task(self._source.run(self._commander.accept))
            parts.create_task(self._monitor.run())
            parts.create_task(self._certificate.run())
            parts.create_task(self._media.run())
            parts.create_task(self._end_silent_bindings())

    def _read_problem(self) -> str:
        """Why phones are not served, as far as the agent sees; functions that are away are no reason."""
        if not self._link.is_up:
            return "the agent is not linked to Kamailio"
        return "rtpengine does not answer" if self._media.is_away else ""

    def _read_families(self) -> list[Family]:
        waiting, shed = Sample(len(self._outbox)), Sample(self._outbox.shed_count)
        on_disk = Sample(self._outbox.is_on_disk)
        return [
            Family("sip_edge_outbox_events", "gauge", "Events that wait for delivery.", (waiting,)),
            Family("sip_edge_outbox_on_disk", "gauge", "0 where the outbox's file cannot be used.", (on_disk,)),
            Family("sip_edge_events_shed_total", "counter", "Events given up because the outbox was full.", (shed,)),
            Family("sip_edge_agent_linked", "gauge", "1 while the agent is linked to Kamailio.", (Sample(self._link.is_up),)),
            self._media.family(),
            *self._metrics.families(),
        ]

    def _receive(self, facts: Sequence[Fact]) -> None:
        events: list[EdgeEvent] = []
        for fact in facts:
            match fact:
                case BindingReport():
                    events.append(event_of(fact, event_id=uuid.uuid4().hex))
                case CredentialsWanted():
                    self._answer(self._answer_credentials(fact))
                case VerdictWanted():
                    self._answer(self._answer_verdict(fact))
                case RouteWanted():
                    self._answer(self._answer_route(fact))
                case NotifyResult():
                    self._commander.note(fact)
                case EdgeState():
                    self._note_state(fact)
        self._store(events)

    def _note_state(self, state: EdgeState) -> None:
        new_life = self._outbox.note_start(state.start_id, _event_now(EventType.EDGE_STARTED, contact=self._contact))
        if new_life:
            log_event("edge_started", start_id=state.start_id)
            self._poster.wake(news=True)
        self._bindings.begin(datetime.now(UTC))
        self._media.link_up(new_life=new_life)
        self._commander.link_up()

    def _lose_link(self) -> None:
        self._bindings.end()
        self._commander.link_down()

    async def _end_silent_bindings(self) -> None:
        """Reports the end of a binding that Kamailio has reported neither again in time nor as ended, for whatever reason."""
        while True:
            await asyncio.sleep(self._look_seconds)
            silent = self._bindings.silent(datetime.now(UTC), self._silence)
            for event in silent:
                log_event("binding_silent", username=event.username)
            self._store([_end_of(event) for event in silent])

    def _answer(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer_credentials(self, wanted: CredentialsWanted) -> None:
        """A phone that waits is answered in any case; a refresh that a later one has overtaken changes nothing."""
        number, answered = self._credentials_asked.ask(wanted.username), False
        try:
            answer = answer_credentials(wanted, await self._functions.request_credentials(wanted.username))
            answered = True
        except (FunctionsError, UnusableCredentials) as problem:
            log_event("credentials_missing", username=wanted.username, problem=f"{type(problem).__name__}: {problem}")
            answer = answer_credentials_later(wanted)
        finally:
            is_newest = self._credentials_asked.end(wanted.username, number, answered=answered)
        if is_newest or wanted.ti:
            self._link.send(answer)

    async def _answer_verdict(self, wanted: VerdictWanted) -> None:
        try:
            verdict = await self._functions.request_verdict(wanted.username, wanted.dialled)
        except FunctionsError as problem:
            log_event("verdict_missing", username=wanted.username, problem=f"{type(problem).__name__}: {problem}")
            self._link.send(answer_verdict_later(wanted))
            return
        log_event("feature_code_answered", username=wanted.username, outcome=verdict.outcome)
        self._link.send(answer_verdict(wanted, verdict, self._announcements))

    async def _answer_route(self, wanted: RouteWanted) -> None:
        try:
            answer = answer_route(wanted, await self._functions.request_route(wanted.username, wanted.target), self._id)
        except FunctionsError as problem:
            log_event("route_missing", username=wanted.username, problem=f"{type(problem).__name__}: {problem}")
            answer = answer_route_late(wanted)
        self._link.send(answer)

    def _refresh(self, command: EdgeCommand) -> None:
        """The record is replaced when the functions have answered; the binding stays."""
        self._answer(self._answer_credentials(CredentialsWanted(command.username, ti=0, tl=0)))

    def _report_command(self, command: EdgeCommand, sip_status: int) -> None:
        event = _event_now(
            EventType.COMMAND_FINISHED,
            username=command.username,
            aor=command.aor,
            command_id=command.id,
            sip_status=sip_status,
        )
        self._store([event])

    def _store(self, events: Sequence[EdgeEvent]) -> None:
        if not events:
            return
        for event in events:
            self._metrics.events.add(event.type.value)
        noted = [self._bindings.note(event) for event in events]
        shed = self._outbox.add(noted)
        if shed:
            log_event("events_shed", count=shed, total=self._outbox.shed_count)
            self._bindings.lose_event(datetime.now(UTC))
        self._poster.wake(news=not all(event.refreshed for event in noted))


def _end_of(event: EdgeEvent) -> EdgeEvent:
    """The end of a binding that was last heard of with this event, and at that time."""
    return replace(event, id=uuid.uuid4().hex, type=EventType.UNREGISTERED, reason="expired", refreshed=False)


def _event_now(kind: EventType, **fields: Any) -> EdgeEvent:
    return EdgeEvent(id=uuid.uuid4().hex, type=kind, at=datetime.now(UTC), **fields)
