"""One edge for most tests; tests that kill something get their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sip.certificates import issue_certificate
from tests.sip.edge import Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.trunk import Trunk, start_trunk

_names = itertools.count(1)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return issue_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def shared_functions(certificate: tuple[Path, Path]) -> Iterator[FunctionsServer]:
    server = FunctionsServer(*certificate)
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_edge(
    certificate: tuple[Path, Path], shared_functions: FunctionsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    edge = Edge(tmp_path_factory.mktemp("edge"), *certificate, shared_functions)
    try:
        yield edge.start_rtpengine().start()
    finally:
        edge.close()


@pytest.fixture
def functions(shared_functions: FunctionsServer) -> FunctionsServer:
    shared_functions.behaviour = Behaviour()
    return shared_functions


@pytest.fixture
def edge(shared_edge: Edge, functions: FunctionsServer) -> Edge:  # noqa: ARG001 - the functions behave well again
    return shared_edge


@pytest.fixture
def own_functions(certificate: tuple[Path, Path]) -> Iterator[FunctionsServer]:
    server = FunctionsServer(*certificate)
    yield server
    server.close()


@pytest.fixture
def make_edge(certificate: tuple[Path, Path], own_functions: FunctionsServer, tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """`make_edge(EDGE_X="y")`: an edge of the test's own, not yet started, with its own functions."""
    made: list[Edge] = []

    def make(**overrides: str) -> Edge:
        made.append(Edge(tmp_path, *certificate, own_functions, overrides))
        return made[-1]

    yield make
    for edge in made:
        edge.close()


@pytest.fixture(scope="module")
def made_trunk(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trunk]:
    with start_trunk(tmp_path_factory.mktemp("edge"), certificate) as trunk:
        yield trunk


@pytest.fixture
def trunk(made_trunk: Trunk) -> Trunk:
    """An edge with two peers that are alive; one for all tests of a file."""
    return made_trunk.renewed()


@pytest.fixture
def account() -> Account:
    """A digest user that nobody else uses, in the form of the product: installation and credential version."""
    number = next(_names)
    return Account(username=f"kq7x{number}w.3", aor=f"device{number}")


@pytest.fixture
def hire(edge: Edge, functions: FunctionsServer, connect: Callable[..., Phone]) -> Callable[..., Phone]:
    """`hire()`: a registered phone of a new user of the tenant `t`; anything of Credentials may be given."""

    def make(**more: Any) -> Phone:
        return hire_at(edge, functions, connect, **more)

    return make


def hire_at(edge: Edge, functions: FunctionsServer, connect: Callable[..., Phone], **more: Any) -> Phone:
    number = next(_names)
    e164 = more.pop("number", f"+4989{number:07}")
    account = Account(username=f"hq7x{number}w.{number}", aor=e164)
    values = {"tenant_id": "t", "may_call": True, "number": e164, "user": f"user{number}@example.com", **more}
    functions.add(account, **{"display_name": f"User {number}", **values})
    phone = connect(account, edge)
    assert phone.register().status == 200
    return phone


def second_phone(
    phone: Phone, edge: Edge, functions: FunctionsServer, connect: Callable[..., Phone], *, name: str = "x", **more: Any
) -> Phone:
    """Another registered phone of the same user; `name` tells several of them apart."""
    first = functions.behaviour.credentials[phone.account.username]
    account = Account(f"{phone.account.username}{name}", phone.account.aor)
    functions.add(account, tenant_id=first.tenant_id, may_call=True, number=first.number, user=first.user, **more)
    other = connect(account, edge)
    assert other.register().status == 200
    return other


@pytest.fixture
def connect() -> Iterator[Callable[..., Phone]]:
    """`connect(account, edge)`: a phone that is closed after the test."""
    phones: list[Phone] = []

    def open_phone(account: Account, edge: Edge, **more: str) -> Phone:
        phones.append(Phone(account, edge.port, **more))
        return phones[-1]

    yield open_phone
    for phone in phones:
        phone.close()
