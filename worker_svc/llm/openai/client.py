"""The HTTP client of an endpoint, and the settings that it needs."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from signoff.errors import ConfigurationError
from signoff.service.environment import is_loopback
from worker_svc.llm.openai.bounds import REDIRECTS
from worker_svc.llm.openai.dialects import taken_apart, wants_its_own_key_header
from worker_svc.llm.openai.error_body import refusals_are_bounded

if TYPE_CHECKING:
    import httpx2
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"

CONNECT_SECONDS = 10.0
WRITE_SECONDS = 60.0
KEEP_SECONDS = 2.0  # an idle connection: many servers close theirs after 5, just when the next request is sent


class RedirectedElsewhere(Exception):
    """An endpoint redirects to another origin; the text names it, and follows the name of the model."""


def new_client(
    library: ModuleType,
    http: ModuleType,
    *,
    base_url: str,
    key: str,
    connections: int,
    idle_seconds: float,
    is_ours: bool,
) -> openai.AsyncOpenAI:
    """Returns a client of the endpoint. `is_ours`: this process has started the server, so no proxy lies between."""
    is_near = is_ours or is_loopback(urlsplit(base_url).hostname or "")
    timeout = library.Timeout(connect=CONNECT_SECONDS, read=idle_seconds, write=WRITE_SECONDS, pool=idle_seconds)
    limits = http.Limits(
        max_connections=connections,
        max_keepalive_connections=0 if is_ours else connections,
        keepalive_expiry=KEEP_SECONDS,
    )
    url, parameters = taken_apart(base_url)
    client: openai.AsyncOpenAI = library.AsyncOpenAI(
        base_url=url,
        default_query=parameters,
        default_headers={"api-key": key} if wants_its_own_key_header(url) else None,
        api_key=key,
        timeout=timeout,
        max_retries=0,
        http_client=library.DefaultAsyncHttpx2Client(
            timeout=timeout,
            limits=limits,
            trust_env=not is_near,
            headers={"Accept-Encoding": "identity"},  # a few packed bytes may become gigabytes
            max_redirects=REDIRECTS,
            event_hooks={"request": [_only_to(http.URL(url))], "response": [refusals_are_bounded]},
        ),
    )
    return client


def _only_to(home: httpx2.URL) -> Callable[[httpx2.Request], Awaitable[None]]:
    """Returns a hook of the HTTP client that lets requests go to the origin of the base URL alone.

    A redirect carries keys in headers and in the body, and of these the library takes out `Authorization` at most.
    """

    async def expect_home(request: httpx2.Request) -> None:
        # guard: keys go to no other origin -> if False:
        if request.url.origin != home.origin:
            elsewhere = f"{request.url.scheme}://{request.url.netloc.decode()}"
            raise RedirectedElsewhere(f"redirects to {elsewhere}: if that is the right server, set it as the base URL")

    return expect_home


def libraries() -> tuple[ModuleType, ModuleType]:
    """Imports the client's library, and the HTTP library below it."""
    return importlib.import_module("openai"), importlib.import_module("httpx2")


def checked_url(base_url: str, name: str = "OPENAI_BASE_URL") -> str:
    """Returns the URL. Raises ConfigurationError, with the setting's name and no password, when it is invalid."""
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        shown = base_url.rpartition("@")[2].partition("?")[0]
        raise ConfigurationError(f'{name}: expected a URL such as {DEFAULT_BASE_URL}, but got "{shown}"')
    return base_url


def checked_key(key: str, name: str) -> str:
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError(f"{name}: expected printable ASCII characters, but got something else")
    return key


def without_secrets(base_url: str) -> str:
    """Returns the base URL without user, password and query: any of them may be a secret."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
