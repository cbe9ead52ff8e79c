"""The environment of a process, kept from doing harm: files of its working directory, proxies, broken variables."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from signoff.errors import ConfigurationError

_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
_SOCKS = frozenset({"socks5", "socks5h"})


def python_command(module: str, *flags: str) -> tuple[str, ...]:
    """Returns the command that runs a module in a process of its own.

    A file of the working directory, such as a random.py, is never imported in place of the real module.
    """
    # guard: the working directory is not imported -> return (sys.executable, "-m", module, *flags)
    return (sys.executable, "-P", "-m", module, *flags)


def is_loopback(host: str) -> bool:
    """Tells whether a host, a name or an address, is this machine itself, where no proxy is needed."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str:
    """Returns the host of an address such as host:port, [::1]:port or ipv4:host:port; empty for a unix socket."""
    if address.startswith("unix:"):
        return ""
    for scheme in ("dns:///", "dns:", "ipv4:", "ipv6:"):
        address = address.removeprefix(scheme)
    host, colon, _ = address.rpartition(":")
    return host if colon else address


def check_proxy_variables(url: str, env: Mapping[str, str]) -> None:
    """Checks the variables for proxies and certificates that an HTTP client reads on its way to an endpoint.

    Raises ConfigurationError that names the variable and what it should be, without its value, which may be a secret.
    For an endpoint on this machine none of them matters.
    """
    if is_loopback(urlsplit(url).hostname or ""):
        return
    for name in (name for upper in _PROXIES for name in (upper, upper.lower())):
        scheme, found, _ = env.get(name, "").partition("://")
        if not found:
            continue  # not set, or a host without a scheme, which is taken for http
        if scheme not in {"http", "https"} and not (scheme in _SOCKS and find_spec("socksio")):
            expected = "a proxy such as http://host:port"
            # guard: broken variables are named at the start -> pass
            raise ConfigurationError(f"{name}: expected {expected}, but got one that begins with {scheme[:20]}://")
    for name, what in (("SSL_CERT_FILE", "file"), ("SSL_CERT_DIR", "folder")):
        path = env.get(name, "").strip()
        if path and not (Path(path).is_file() if what == "file" else Path(path).is_dir()):
            raise ConfigurationError(f"{name}: expected a {what} of certificates, but there is none at {path}")
