"""The process's one botocore session: its clients share the credentials, and what botocore reads for each session anew.

Making a client is not thread-safe, so it is done one at a time.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config

_making = Lock()


@cache
def aws_session() -> botocore.session.Session:
    """The session, made when it is first asked for."""
    return botocore.session.get_session()


def make_client(service: str, *, region: str | None, config: Config | None = None) -> Any:
    """A client of one service; `region` None: the process's own."""
    with _making:
        return aws_session().create_client(service, region_name=region, config=config)
