"""The life of a gRPC server: its health, its reflection, how it starts and how it stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from signoff.errors import SignoffError
from signoff.rpc.channel import SERVER_OPTIONS
from signoff.rpc.interceptor import ErrorInterceptor
from signoff.rpc.socket_files import make_room


class Server:
    """A gRPC server with health, reflection, typed errors and an orderly end.

    `add` the services, then `start`. `stop` first sets health to NOT_SERVING, so that no new clients come, then gives
    running calls `grace` seconds. A server that is started with a `refusal` answers every call with it, with health
    NOT_SERVING, until `open` is called.
    """

    def __init__(self, options: Sequence[tuple[str, int]] = SERVER_OPTIONS) -> None:
        self._refusal: SignoffError | None = None
        interceptor = ErrorInterceptor(lambda: self._refusal)
        self._server = grpc.aio.server(interceptors=[interceptor], options=list(options))
        self._health = health.aio.HealthServicer()
        self._names = [reflection.SERVICE_NAME, health.SERVICE_NAME]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.address = ""

    def add(self, register: Callable[[Any, Any], None], servicer: object, name: str) -> None:
        """Adds a service: its generated `add_…_to_server`, its implementation, its full name."""
        register(servicer, self._server)
        self._names.append(name)

    async def start(self, address: str, *, refusal: SignoffError | None = None) -> str:
        """Binds `host:port` (port 0: any free one) or `unix:path` and serves. Returns the address clients use.

        Raises OSError when the address cannot be bound.
        """
        host, _, number = address.rpartition(":")
        if not address.startswith("unix:") and not (number.isascii() and number.isdigit() and int(number) < 65536):
            raise OSError(f"cannot listen on {address}: expected host:port with a port from 0 to 65535, or unix:path")
        reflection.enable_server_reflection(self._names, self._server)
        if address.startswith("unix:"):
            make_room(Path(address.removeprefix("unix:")))
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: is another process using it? ({error})") from error
        self.refuse(refusal)
        await self._server.start()
        self.address = address if address.startswith("unix:") else f"{host}:{port}"
        await self.set_serving(refusal is None)
        return self.address

    def refuse(self, refusal: SignoffError | None) -> None:
        """Answers every further call with this error; None: serves calls again."""
        self._refusal = refusal

    async def open(self) -> None:
        """Serves calls from now on, with health SERVING."""
        self.refuse(None)
        await self.set_serving(True)

    async def set_serving(self, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ["", *self._names]:
            await self._health.set(name, status)

    async def stop(self, grace: float) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
