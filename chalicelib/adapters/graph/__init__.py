"""Microsoft Graph: users with their numbers and calling policies, and their presence. See docs/graph.md.

Imported only where `SIPGW_DIRECTORY` is `graph`; `requests` and MSAL only when Graph is first called: no phone's file waits for
them.
"""

from chalicelib.adapters.graph.client import GraphClient
from chalicelib.adapters.graph.directory import GraphDirectory
from chalicelib.adapters.graph.presence import GraphPresence
from chalicelib.adapters.graph.tokens import GraphTokens

__all__ = ["GraphClient", "GraphDirectory", "GraphPresence", "GraphTokens"]
