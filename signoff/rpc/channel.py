"""How clients and servers connect: the size of frames, keepalive, and the options of channels and servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import grpc.aio

from signoff.service.environment import host_of, is_loopback

Connect: TypeAlias = "Callable[[str], grpc.aio.Channel]"  #: opens a channel to an address, as `connect` does

MAX_FRAME_BYTES = 4 * 1024 * 1024  # the protocol's own limit; gRPC's default is the same number
CHUNK_BYTES = 256 * 1024  # of streamed files and artifacts

# A worker's stream may be quiet between two pings of ten seconds; keepalive only finds links that died without a word.
# A server that sees more pings than it permits answers "too many pings", so it permits twice what a client sends.
_KEEPALIVE_MS = 20_000
_PING_TIMEOUT_MS = 10_000

SERVER_OPTIONS: Sequence[tuple[str, int]] = (
    # guard (2 lines): receive limit ->
    #     ("grpc.so_reuseport", 0),
    #     ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),  # two servers would share a port without a word
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
    ("grpc.max_concurrent_streams", 1_000),  # of one connection; a client's further calls wait for the others to end
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    # guard: keepalive is permitted -> ("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS * 100),
    ("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS // 2),
    ("grpc.http2.max_pings_without_data", 0),
)

CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # A worker that reconnects must not be handed the dead connection of a channel it has closed.
    # guard: a connection of its own -> ("grpc.use_local_subchannel_pool", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


def connect(address: str) -> grpc.aio.Channel:
    """Opens a channel to `host:port` (or `unix:path`) with the settings of every signoff client.

    A connection to this machine itself never goes through a proxy.
    """
    # guard: no proxy to this machine -> direct = [("grpc.enable_http_proxy", 0)] if False else []
    direct = [("grpc.enable_http_proxy", 0)] if is_loopback(host_of(address)) else []
    return grpc.aio.insecure_channel(address, options=[*CHANNEL_OPTIONS, *direct])
