"""What Kamailio is told of a call that it asked about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chalicelib.contracts.edge import EdgeAddress, Route, RouteOutcome
from sip_edge.agent.core.answers import presentable_reason
from sip_edge.agent.core.messages import RouteAnswer, RouteWanted
from sip_edge.agent.core.records import called_by_route, is_aor, render_called

MAX_EDGES = 10
LATE = "late"

_NUMBER = re.compile(r"\+[0-9]{3,15}")
_CONTACT = re.compile(r"sip:[A-Za-z0-9.:\[\]-]{1,100};transport=tcp")


def answer_route(wanted: RouteWanted, route: Route, edge_id: str) -> RouteAnswer:
    """The functions have answered. A route that cannot be gone counts as none."""
    match route.outcome:
        case RouteOutcome.USER if is_aor(route.aor) and route.tenant_id:
            return _answer(
                wanted,
                "user",
                aor=route.aor,
                called=render_called(called_by_route(route)),
                edges=_others(route.edges, edge_id),
                also_aor=route.also_ring_aor if is_aor(route.also_ring_aor) else "",
                also_edges=_others(route.also_ring_edges, edge_id),
            )
        case RouteOutcome.TRUNK if _NUMBER.fullmatch(route.number):
            return _answer(wanted, "trunk", number=route.number)
        case RouteOutcome.VOICEMAIL if _NUMBER.fullmatch(route.voicemail):
            return _answer(wanted, "trunk", number=route.voicemail)
        case RouteOutcome.REFUSED:
            return _answer(wanted, "refused", reason=presentable_reason(route.reason))
    return _answer(wanted, "not_found", reason=presentable_reason(route.reason))


def answer_route_late(wanted: RouteWanted) -> RouteAnswer:
    """The functions are away: the edge does what it can without them."""
    return _answer(wanted, LATE)


def _others(edges: Sequence[EdgeAddress], edge_id: str) -> str:
    contacts = [edge.contact for edge in edges if edge.edge_id != edge_id and _CONTACT.fullmatch(edge.contact)]
    return ",".join(contacts[:MAX_EDGES])


def _answer(wanted: RouteWanted, outcome: str, **more: str) -> RouteAnswer:
    return RouteAnswer(ti=wanted.ti, tl=wanted.tl, outcome=outcome, **more)
