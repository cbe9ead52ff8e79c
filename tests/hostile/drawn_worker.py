"""A worker of the fuzz: it says Hello, is given work, and answers with frames and files, most of them good."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from typing import Any

import grpc.aio

from signoff.manifest.manifest import FILES, MANIFEST_TYPE
from signoff.v1 import execution_pb2, worker_pb2
from tests.hostile.drawn_client import sent_stream
from tests.hostile.drawn_files import DrawnFiles
from tests.hostile.drawn_messages import ODD_BYTES, Drawer
from tests.hostile.outcomes import OF_THE_CLIENT, PATIENCE, Counts, Failed
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR

FRAMES_A_SESSION = 40  # at most
CONNECT = "/signoff.v1.WorkerService/Connect"
MEDIA_TYPES = ("application/json", "text/plain", "", "text/x; q=1")
UPLOAD_FILES = "/signoff.v1.RunnerService/UploadFiles"


class DrawnWorker:
    """One session of a worker that sends drawn frames."""

    def __init__(self, channel: Any, drawer: Drawer, files: DrawnFiles, counts: Counts, story: deque[str]) -> None:
        self._channel, self._drawer, self._files, self._counts, self._story = channel, drawer, files, counts, story
        self._call: Any = channel.stream_stream(CONNECT)()  # bytes, as they are
        self._chance = drawer.chance
        self._held: list[worker_pb2.Assign] = []
        self._fresh: list[str] = []  # leases of executors, without those that it has sent a result of
        self._nonces: list[int] = []
        self._manifests = set[str]()  # leases under which it has sent one

    async def work(self) -> None:
        """Sends Hello, and then frames until it has sent enough or is cut off."""
        listening = asyncio.create_task(self._listen())
        try:
            await self._send([worker_pb2.WorkerMessage(hello=self._hello())])
            await self._send([worker_pb2.WorkerMessage(credit=worker_pb2.Credit(window=self._chance.randint(1, 20)))])
            await asyncio.sleep(0.005)  # the runner may give it work meanwhile, as below
            for _ in range(self._chance.randint(1, FRAMES_A_SESSION)):
                if self._call.done():
                    break
                if self._chance.random() < 0.3:
                    await asyncio.sleep(0.001)
                if self._chance.random() < (0.4 if self._fresh else 0.02):
                    await self._bring()
                await self._send([self._message() for _ in range(self._chance.choice((1, 1, 1, 2, 5)))])
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the runner has ended the stream; with what is looked at below
        if not self._call.done() and self._chance.random() < 0.7:
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await self._call.done_writing()
        else:
            self._call.cancel()
        try:
            async with asyncio.timeout(PATIENCE):
                code, details = await listening
        except TimeoutError:
            raise Failed(f"expected the stream of a worker to end within {PATIENCE:g} s, but it did not") from None
        self._counts.sessions += 1
        self._counts.ended(code, "a worker", details)

    async def _bring(self) -> None:
        """Brings files under a lease, and names them, perhaps."""
        lease = self._lease_for_files()
        upload = self._files.upload(lease)
        self._story.append(f"UploadFiles {b' '.join(upload.messages)[:400].hex()}")
        if await sent_stream(self._channel.stream_unary(UPLOAD_FILES)(), upload, self._counts, self._chance):
            self._counts.brought += len(upload.files)
            self._files.took(lease, upload)
            if self._chance.random() < 0.5:
                await self._send([worker_pb2.WorkerMessage(candidate=self._candidate(lease))])

    def _lease_for_files(self) -> str:
        """Draws a lease: mostly one of its own that waits for a result, else one of others, or none."""
        if self._fresh and self._chance.random() < 0.85:
            return self._fresh.pop()
        others = [*[*self._drawer.known.texts.get("lease_id", ())][-8:], "never.0.1", ""]
        drawn: str = self._chance.choice(others)
        return drawn

    async def _listen(self) -> tuple[grpc.StatusCode, str]:
        """Returns how the stream ended, as a read tells it: gRPC's client may only know of a write at that moment."""
        try:
            while (answer := await self._call.read()) is not grpc.aio.EOF:
                for message in worker_pb2.ConnectResponse.FromString(answer).messages:
                    self._hear(message)
        except grpc.aio.AioRpcError as error:
            told = error.details() or ""
            return (grpc.StatusCode.CANCELLED if told == OF_THE_CLIENT else error.code()), told
        except asyncio.CancelledError:
            return grpc.StatusCode.CANCELLED, ""
        return grpc.StatusCode.OK, ""

    def _hear(self, message: worker_pb2.RunnerMessage) -> None:
        match message.WhichOneof("kind"):
            case "welcome":
                self._counts.welcomed += 1
                self._drawer.known.add("continues_session_id", message.welcome.session_id)
            case "assign":
                self._counts.assigned += 1
                self._held.append(message.assign)
                if message.assign.phase == execution_pb2.PHASE_EXECUTE:
                    self._fresh.append(message.assign.lease_id)
                self._drawer.known.add("lease_id", message.assign.lease_id)
                self._drawer.known.add("held_lease_ids", message.assign.lease_id)
            case "ping":
                self._nonces.append(message.ping.nonce)
            case "ack":
                self._counts.durable += 1
                self._counts.named += message.ack.lease_id in self._manifests

    async def _send(self, messages: list[worker_pb2.WorkerMessage]) -> None:
        body = worker_pb2.ConnectRequest(messages=messages).SerializeToString()
        self._counts.kinds.update(str(message.WhichOneof("kind")) for message in messages)
        if self._chance.random() < 0.004:
            body = self._damaged(body)
        self._counts.frames += 1
        self._story.append(body[:400].hex())
        await self._call.write(body)

    def _damaged(self, body: bytes) -> bytes:
        place = self._chance.randrange(len(body) + 1)
        match self._chance.randrange(4):
            case 0:
                return body[:place]
            case 1:
                return body[:place] + self._chance.randbytes(3) + body[place:]
            case 2:
                return body + body[:place]  # messages twice, and a part of one
        return bytes(byte ^ (self._chance.random() < 0.02) for byte in body)

    def _hello(self) -> worker_pb2.Hello:
        if self._chance.random() < 0.2:
            return self._drawer.message(worker_pb2.Hello)
        held = self._drawer.known.texts.get("lease_id", [])
        return worker_pb2.Hello(
            role=self._chance.choice((EXECUTOR, VALIDATOR)),
            name=f"drawn {self._chance.randrange(4)}",
            slots=self._chance.randint(1, 4),
            maker=self._chance.choice(("", "m1", "m2")),
            features=self._chance.choice(((FILES,), (FILES,), (FILES, "in-parts"), ())),
            held_lease_ids=self._chance.sample(list(held), min(len(held), self._chance.choice((0, 0, 1, 5)))),
        )

    def _message(self) -> worker_pb2.WorkerMessage:
        if not self._held or self._chance.random() < 0.3:
            return self._any()
        assign = self._chance.choice(self._held)
        return self._about(assign.lease_id, assign.phase == execution_pb2.PHASE_VALIDATE)

    def _any(self) -> worker_pb2.WorkerMessage:
        """Draws any message; seldom one that ends the session."""
        while True:
            message = self._drawer.message(worker_pb2.WorkerMessage)
            ends = message.WhichOneof("kind") in (None, "hello", "draining")
            if not ends or self._chance.random() < 0.1:
                return message

    def _about(self, lease: str, is_verdict: bool) -> worker_pb2.WorkerMessage:
        """Draws a message that an honest worker might send about a lease, in any order and with odd contents."""
        pb = worker_pb2
        kind = self._chance.choice(("accepted", "progress", "usage", "chunk", "result", "result", "failure", "any"))
        if kind in ("result", "failure"):
            self._answered(lease)
        match kind:
            case "accepted":
                return pb.WorkerMessage(accepted=pb.Accepted(lease_id=lease))
            case "chunk":
                body = self._body()
                chunk = pb.CandidateChunk(lease_id=lease, offset=self._chance.choice((0, 0, len(body))), data=body)
                return pb.WorkerMessage(candidate_chunk=chunk)
            case "result" if is_verdict:
                verdict = self._drawer.message(pb.Verdict)
                verdict.lease_id = lease
                return pb.WorkerMessage(verdict=verdict)
            case "result":
                return pb.WorkerMessage(candidate=self._candidate(lease))
            case "any":
                message = self._any()
                inner = getattr(message, str(message.WhichOneof("kind")))
                if hasattr(inner, "lease_id"):
                    inner.lease_id = lease
                return message
        inner = self._drawer.message(type(getattr(pb.WorkerMessage(), kind)))
        inner.lease_id = lease
        return pb.WorkerMessage(**{kind: inner})

    def _answered(self, lease: str) -> None:
        self._fresh = [fresh for fresh in self._fresh if fresh != lease]

    def _candidate(self, lease: str) -> worker_pb2.Candidate:
        names_files = (self._files.has_brought(lease) and self._chance.random() < 0.7) or self._chance.random() < 0.1
        body = self._files.manifest(lease) if names_files else self._body()
        is_manifest = names_files if self._chance.random() < 0.95 else not names_files
        if names_files and is_manifest:
            self._manifests.add(lease)
        made = worker_pb2.Candidate(
            lease_id=lease,
            inline=body,
            size_bytes=len(body),
            digest=hashlib.sha256(body).hexdigest(),
            media_type=MANIFEST_TYPE if is_manifest else self._chance.choice(MEDIA_TYPES),
            maker=self._chance.choice(("", "m1", "m2")),
        )
        if self._chance.random() < 0.1:
            made.MergeFrom(self._drawer.message(worker_pb2.Candidate, fields=0.3))
            made.lease_id = lease
        return made

    def _body(self) -> bytes:
        return self._chance.choice((*ODD_BYTES, b'{"a": 1}', b'{"a": 1}', b"text", self._chance.randbytes(20)))
