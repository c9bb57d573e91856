"""Runs the whole gateway on this machine: starts every process, watches it, and stops all of them together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence

from local.certificates import BadCertificate, ServerIdentity, adopt_certificate, prepare_certificates, utc_now
from local.children import plan_children
from local.options import GatewayOptions
from local.output import Console, LogFile
from local.process import Guardian, WatchedProcess
from local.readiness import is_free
from local.seed import GatewayApi, seed_development_tenant
from local.state import BadStateFolder, GatewayState, StateInUse

READY_SECONDS = 30.0


class CannotStart(RuntimeError):
    """The gateway cannot be started; the message says what to do."""


async def run_gateway(options: GatewayOptions, environment: Mapping[str, str], console: Console) -> int:
    """Runs until SIGTERM or SIGINT. 0: stopped as asked; 1: it could not be started."""
    started = time.monotonic()
    state = GatewayState(options.state)
    try:
        with state.held():
            state.prepare()
            check_machine(options)
            identity = load_identity(options, state)
            with _watched(options, state, identity, console, environment) as children:
                return await _Run(options, state, console, children).until_stopped(started)
    except (CannotStart, BadCertificate, BadStateFolder, StateInUse) as problem:
        console.say(f"cannot start: {problem}")
        return 1


def check_machine(options: GatewayOptions) -> None:
    """Raises CannotStart where a port is in use or Kamailio is missing."""
    wanted = (
        ("HTTPS_PORT", options.bind_address, options.https_port),
        ("HTTP_PORT", "127.0.0.1", options.http_port),
        ("SIP_PORT", options.bind_address, options.sip_port),
        ("IDP_PORT", options.bind_address, options.idp_port),
        ("EVAPI_PORT", "127.0.0.1", options.evapi_port),
        ("EVAPI_PORT", "127.0.0.1", options.evapi_port + 1),
    )
    for variable, address, port in wanted:
        if not is_free(address, port):
            raise CannotStart(
                f"port {port} is in use on {address} (`ss -ltnp 'sport = :{port}'` shows by what); "
                f"stop that program, or choose another port: {variable}=NUMBER make run"
            )
    for program in ("kamailio", "rtpengine"):
        if not shutil.which(program, path=f"{os.defpath}:/usr/sbin:/usr/local/sbin"):
            raise CannotStart(f"{program} is not installed; `make setup` installs what is missing")


def load_identity(options: GatewayOptions, state: GatewayState) -> ServerIdentity:
    """HOST_CERT's certificate, or the local authority's. Raises BadCertificate."""
    if options.host_certificate and options.host_key:
        files = options.host_certificate, options.host_key
        return adopt_certificate(state.certificates, *files, options.host, utc_now())
    return prepare_certificates(state.certificates, options.host, utc_now(), options.sip_second.partition(":")[0])


@contextlib.contextmanager
def _watched(
    options: GatewayOptions,
    state: GatewayState,
    identity: ServerIdentity,
    console: Console,
    environment: Mapping[str, str],
) -> Iterator[list[WatchedProcess]]:
    guardian = Guardian()
    try:
        yield [
            WatchedProcess(plan, console, LogFile(state.logs / f"{plan.name}.log"), guardian)
            for plan in plan_children(options, state, identity, environment)
        ]
    finally:
        guardian.close()


class _Run:
    """One run, from the first start to the last stop."""

    def __init__(
        self, options: GatewayOptions, state: GatewayState, console: Console, children: Sequence[WatchedProcess]
    ) -> None:
        self._options = options
        self._state = state
        self._console = console
        self._children = children
        self._asked_to_stop = asyncio.Event()

    async def until_stopped(self, started: float) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._hear_stop)
        tasks = [asyncio.create_task(child.run()) for child in self._children]
        status = 0
        try:
            if await self._become_ready():
                await self._seed()
                seconds = time.monotonic() - started
                self._console.show(welcome(self._options, self._state, seconds))
                await self._asked_to_stop.wait()
            elif not self._asked_to_stop.is_set():
                status = 1
        finally:
            await self._stop(tasks)
        return status

    def _hear_stop(self) -> None:
        """The first signal stops in order, the second at once."""
        if self._asked_to_stop.is_set():
            for child in self._children:
                child.kill()
        self._asked_to_stop.set()

    async def _become_ready(self) -> bool:
        for child in self._children:
            waiting = asyncio.create_task(child.wait_until_ready(READY_SECONDS))
            stopping = asyncio.create_task(self._asked_to_stop.wait())
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if self._asked_to_stop.is_set():
                waiting.cancel()
                return False
            if not waiting.result():
                log = self._state.logs / f"{child.plan.name}.log"
                self._console.say(f"{child.plan.name} did not become ready in {READY_SECONDS:g} s; its log is {log}")
                return False
            self._console.say(f"ready: {child.plan.says}")
        return True

    async def _seed(self) -> None:
        if not self._state.must_be_seeded:
            return
        options = self._options
        urls = f"http://127.0.0.1:{options.http_port}", f"http://127.0.0.1:{options.idp_port}"
        api = GatewayApi(*urls, writes_users=options.directory == "local")
        try:
            if await asyncio.to_thread(seed_development_tenant, api):
                self._console.say(f"the development tenant is enabled{', with Anna and Ben in it' if api.writes_users else ''}")
            self._state.record_seeded()
        except (OSError, ValueError, KeyError) as problem:
            self._console.say(f"the development tenant could not be prepared: {problem}; the next start tries again")

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._console.say("stopping")
        for child in reversed(self._children):
            await child.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._console.say("all processes have ended")


def welcome(options: GatewayOptions, state: GatewayState, seconds: float) -> str:
    """What the person who started the gateway wants to know now."""
    trust = "" if options.host_certificate else f"\n  Trust       {state.certificates / 'ca.pem'} (the local authority)"
    return f"""
The gateway runs (started in {seconds:.1f} s). Ctrl-C stops it; its state is in {state.folder}.

  Phones      {options.public_url}/ (provisioning URL), SIP over TLS on {options.public_host}:{options.sip_port}
  People      {options.public_url}/pair
  API         {options.public_url}/v1, also http://127.0.0.1:{options.http_port}/v1
  Sign-in     {options.sign_in_url} (development only: no passwords){trust}

  Users       anna@example.com, +4989123401 · ben@example.com, +4989123402 · admin@example.com, Gateway.Admin
  Token       ./sipgw token --role admin

Next: `./sipgw devices list`, `./sipgw devices add 80:5e:c0:12:34:56 --location Lobby`, or `make demo` for a phone's whole life.
"""
