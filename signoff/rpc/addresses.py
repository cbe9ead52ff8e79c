"""Several addresses of one service: of all runners on one database, one serves, and the others stand by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from signoff.errors import Unavailable
from signoff.rpc.channel import Connect, connect
from signoff.v1 import runner_pb2_grpc

RunnerStub: TypeAlias = "runner_pb2_grpc.RunnerServiceAsyncStub"

NOWHERE = "unix:/nonexistent/no-address-given"
ASKED_WITHIN = 2.0  # seconds for all of them to say whether they serve; a frozen one says nothing


def addresses_in(text: str) -> tuple[str, ...]:
    """Reads `host:port,host:port`: each address once, in order. Returns one empty address when there is none."""
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(","))))) or ("",)


async def address_that_serves(addresses: Sequence[str]) -> str:
    """Asks all addresses at once for their health, and returns the first that serves.

    A single address is returned unasked: connecting will show whether it serves. Raises Unavailable, with each answer.
    """
    if len(addresses) == 1:
        return addresses[0]
    asking = [asyncio.create_task(_what_is_wrong_at(address)) for address in addresses]
    named = dict(zip(asking, addresses, strict=True))
    try:
        for answered in asyncio.as_completed(asking):
            await answered
            found = next((named[task] for task in asking if task.done() and not task.result()), "")
            if found:
                return found
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    said = "; ".join(f"{address} {task.result()}" for task, address in named.items())
    raise Unavailable(f"expected one of {len(addresses)} runners to serve, but {said}")


async def _what_is_wrong_at(address: str) -> str:
    """Says why the service at an address does not serve; empty when it does."""
    async with connect(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ASKED_WITHIN)  # type: ignore[attr-defined]
        except grpc.aio.AioRpcError as error:
            return "does not answer in time" if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED else "does not answer"
    # guard: a standby is not taken for the one that serves ->
    #     return "" if True else "stands by, or is starting or ending"
    return "" if answer.status == health_pb2.HealthCheckResponse.SERVING else "stands by, or is starting or ending"


class Route:
    """The channel to the runner that serves, at one address or one of several.

    The runner is looked for at the first call, and again after it was lost.
    """

    def __init__(self, text: str, connect: Connect = connect) -> None:
        self._addresses = addresses_in(text)
        self._connect = connect
        self._channel: grpc.aio.Channel | None = None
        self._left: grpc.aio.Channel | None = None  # to the runner that was lost last: it may have calls under way
        self._finding = asyncio.Lock()
        self.address = text  #: of the runner that serves, once it is found

    async def stub(self) -> RunnerStub:
        """Returns the stub of the runner that serves. Raises Unavailable when none does."""
        async with self._finding:
            if self._channel is None:
                self.address = await address_that_serves(self._addresses)
                self._channel = self._connect(self.address or NOWHERE)
                self._stub = runner_pb2_grpc.RunnerServiceStub(self._channel)
            return self._stub

    async def lost(self, stub: RunnerStub | None = None) -> None:
        """Has the runner looked for anew, where there are several addresses. Other calls that are under way go on.

        `stub`: of the call that failed; None: the last one. A runner that was looked for since is another.
        """
        if len(self._addresses) == 1 or self._channel is None or stub not in (None, self._stub):
            return
        # guard: a runner that is lost to one call is not taken from the others ->
        #     left, self._left, self._channel = self._channel, None, None
        left, self._left, self._channel = self._left, self._channel, None
        if left is not None:
            await left.close()

    async def close(self) -> None:
        channels, self._channel, self._left = (self._channel, self._left), None, None
        for channel in channels:
            if channel is not None:
                await channel.close()
