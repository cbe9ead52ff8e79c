"""Guards of the worker's side of the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

SESSION, STREAM, BENCH = "worker_svc/session.py", "worker_svc/stream.py", "worker_svc/bench.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="checkpoints are said again",
        file="worker_svc/word.py",
        code="        self._checkpoint_is_said = not self._checkpoint",
        without="        self._checkpoint_is_said = True",
        fault="a stream is lost with what it was about to say of how far the work is",
    ),
    Guard(
        name="no more at once than there are slots",
        file=BENCH,
        code="while self._busy < self.slots and",
        without="while",
        fault="a runner that gives all the work that was granted ahead",
    ),
    Guard(
        name="work does not wait behind work that hangs",
        file=BENCH,
        code="self._giving_back = asyncio.get_running_loop().call_later(WAITS_AT_MOST, self._give_back_late)",
        without="pass",
        fault="a slot whose work takes much longer than the last did",
    ),
    Guard(
        name="only a refusal ends a worker",
        file=STREAM,
        code="            if reason in FINAL:",
        without="            if True:",
        fault="a stream breaks, is cancelled or reset, or its connection is told to go away",
    ),
    Guard(
        name="a refusal ends a worker",
        file=STREAM,
        code="            if reason in FINAL:",
        without="            if False:",
        fault="two workers have one name",
    ),
    Guard(
        name="a clean end is no goodbye",
        file=STREAM,
        code='            log.info("stream_ended")',
        without="            self._leaving.set()",
        fault="a proxy ends streams in order",
    ),
    Guard(
        name="an end before welcome is no refusal",
        file=SESSION,
        code='raise ConnectionError("expected the runner to begin with welcome, but it ended the stream")',
        without='raise WorkerRefused("expected the runner to begin with welcome, but it ended the stream")',
        fault="a proxy accepts streams while there is no runner",
    ),
    Guard(
        name="success is the first frame",
        file=STREAM,
        code="            failures = 0 if session.welcomed else failures + 1",
        without="            failures = 0",
        fault="something accepts connections and never answers",
    ),
    Guard(
        name="jittered pauses",
        file=STREAM,
        code="asyncio.timeout(patience.jitter(least, ceiling))",
        without="asyncio.timeout(ceiling)",
        fault="a runner restarts and all workers come back at once",
    ),
    Guard(
        name="welcome is awaited only so long",
        file=STREAM,
        code="""            async with asyncio.timeout(self._patience.welcome):
                await session.open()""",
        without="""            async with asyncio.timeout(None):
                await session.open()""",
        fault="a runner is stuck",
    ),
    Guard(
        name="what does not fit is abandoned",
        file=STREAM,
        code='        self._bench.abandon_unfinished("the worker is about to end")',
        without="        pass",
        fault="a worker is told to end in the middle of its work",
    ),
    Guard(
        name="a silent runner is lost",
        file=SESSION,
        code='        raise TimeoutError(f"nothing was heard',
        without="""        await asyncio.Event().wait()
        raise TimeoutError(f"nothing was heard""",
        fault="the line is dead and the transport does not notice",
    ),
    Guard(
        name="pings say when the next one comes",
        file="worker_svc/session.py",
        code="            self._silence_changed.set()",
        without="            pass",
        fault="a line dies just after pings have begun to come more often",
    ),
    Guard(
        name="pings are answered",
        file=SESSION,
        code="                bench.say(Message(pong=worker_pb2.Pong(nonce=message.ping.nonce)))",
        without="                pass",
        fault="work goes on for long",
    ),
    Guard(
        name="a draining runner gets no credit",
        file=SESSION,
        code="                bench.take_no_more()",
        without="                pass",
        fault="a runner is about to end",
    ),
    Guard(
        name="cancel drops the work",
        file=BENCH,
        code="        self._tell_costs(held)\n        task.cancel()",
        without="        self._tell_costs(held)",
        fault="nobody wants the result any more",
    ),
    Guard(
        name="an assignment that comes twice runs once",
        file=BENCH,
        code="""        if lease_id not in self._held:
            self._take(assign, fetch)
        elif""",
        without="""        self._take(assign, fetch)
        if""",
        fault="an assignment is repeated",
    ),
    Guard(
        name="a draining worker takes nothing new",
        file=BENCH,
        code="        if self._draining and lease_id not in self._held:",
        without="        if False:",
        fault="an assignment and Draining cross",
    ),
    Guard(
        name="a draining worker stays draining",
        file=BENCH,
        code="""        if self._draining:
            self._say(""",
        without="""        if False:
            self._say(""",
        fault="a stream breaks while its worker drains",
    ),
    Guard(
        name="results are said again",
        file=BENCH,
        code="""                self._has_changed(lease_id)
            self._send_result(held)""",
        without="                self._has_changed(lease_id)",
        fault="a result or its acknowledgement is lost with the stream",
    ),
    Guard(
        name="results wait for keep",
        file=BENCH,
        code="""        if held.confirmed:
            self._send_result(held)""",
        without="        self._send_result(held)",
        fault="work ends while the stream is lost",
    ),
    Guard(
        name="answers belong to a stream",
        file=BENCH,
        code="        self._answers, self._results, self._takes_more = [], [], False\n        self._accepted.clear()\n",
        without="",
        fault="a stream breaks with answers under way",
    ),
    Guard(
        name="thinking that may be lost is a gap",
        file="worker_svc/word.py",
        code="self._gap, self._has_thought = self._gap or self._has_thought, False",
        without="self._has_thought = False",
        fault="a stream breaks while somebody watches",
    ),
    Guard(
        name="unsent thinking is bounded",
        file="worker_svc/word.py",
        code="        while self._length > MAX_UNSENT_THINKING:",
        without="        while False:",
        fault="a model thinks aloud while the stream is slow or lost",
    ),
    Guard(
        name="a connection of its own",
        file="signoff/rpc.py",
        code='    ("grpc.use_local_subchannel_pool", 1),',
        without='    ("grpc.use_local_subchannel_pool", 0),',
        fault="a connection is bad and looks good",
    ),
    Guard(
        name="checks run in a process of their own",
        file="worker_svc/check_process.py",
        code='        told = await self._told(kind, lambda child: child.asked(b"K" + check.SerializeToString()))\n',
        without="        told = [checks.check_result(check, self._content)]\n",
        fault="a check does not end",
    ),
    Guard(
        name="input digest",
        file="worker_svc/inputs.py",
        code="        if digest != artifact.digest:\n",
        without="        if False:\n",
        fault="the bytes of an artifact are changed on the way",
    ),
    Guard(
        name="stale lease of an input",
        file="worker_svc/bench.py",
        code="            self.forget(lease_id)\n            return\n        except SignoffError",
        without="            held.result = "
        'no_result(held.assign.phase, execution_pb2.FAILURE_KIND_TRANSIENT, "stale")\n'
        "        except SignoffError",
        fault="a lease ends while its input is fetched",
    ),
    Guard(
        name="status of the runner",
        file="worker_svc/call.py",
        code="            return await self._call.read()\n        except grpc.aio.AioRpcError as error:\n"
        "            raise self._end or error from None\n",
        without="            return await self._call.read()\n        except grpc.aio.AioRpcError:\n            raise\n",
        fault="the worker writes just as it is refused",
    ),
    Guard(
        name="unknown messages",
        file="worker_svc/session.py",
        code='                log.info("message_passed_over", kind=unknown)  # from a newer runner\n',
        without='                raise ConnectionError(f"unknown: {unknown}")\n',
        fault="the runner is newer than the worker",
    ),
    Guard(
        name="escapes are read",
        file="signoff/secrets.py",
        code="            yield from _found(layer.hexed, known.hexed)\n",
        without="            yield from ()\n",
        fault="an endpoint repeats a key in hex",
    ),
    Guard(
        name="no key leaves a worker",
        file="worker_svc/gate.py",
        code="                content = await self._secrets.cleaned(result.content)\n",
        without="                content = result.content\n",
        fault="a program or a function prints the worker's environment",
    ),
    Guard(
        name="no key in what a model streams",
        file="worker_svc/llm/gathered.py",
        code="            self._tell_text(self._telling.feed(content), on_delta)",
        without="            self._tell_text(content, on_delta)",
        fault="an endpoint repeats the key in its answer, cut in two",
    ),
    Guard(
        name="an answer is bounded",
        file="worker_svc/llm/gathered.py",
        code="        if self.size > self.most:\n",
        without="        if False:\n",
        fault="a model writes without end",
    ),
    Guard(
        name="an event is bounded",
        file="worker_svc/llm/sse.py",
        code="        if self._size > self._bounds.event_bytes:\n",
        without="        if False:\n",
        fault="an endpoint sends one line without end",
    ),
    Guard(
        name="only pieces put off the end",
        file="worker_svc/llm/openai_model.py",
        code="                        if brought and not is_finished:\n",
        without="                        if not is_finished:\n",
        fault="an endpoint sends empty chunks without end",
    ),
    Guard(
        name="large candidates are looked at elsewhere",
        file="worker_svc/checks.py",
        code="    if len(content) > QUICK_BYTES:\n",
        without="    if False:\n",
        fault="a candidate of megabytes, or nested deeply",
    ),
    Guard(
        name="large answers are read elsewhere",
        file="worker_svc/llm/repair.py",
        code="    if len(text) > READ_HERE_CHARS:\n",
        without="    if False:\n",
        fault="a model answers with megabytes of JSON",
    ),
)
