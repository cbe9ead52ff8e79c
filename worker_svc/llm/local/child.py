"""The child that serves a local model: reads one line with its order, writes one with its address, and serves.

It ends when its input ends.

In: {"weights": path, "key": text, "parallel": n}. Out: {"base_url": url} or {"problem": text}.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

MOST_PARALLEL = 4  # answers at once; more wait. Each takes a share of the memory and the processors
THREADS = max(1, (os.cpu_count() or 1) // 2)  # the executor's server and the validator's share the machine
CACHE_MIB = 256  # of earlier prompts


def serve(orders: TextIO, answers: TextIO) -> None:
    """Serves until `orders` ends: then the worker is gone."""
    order = json.loads(orders.readline())
    try:
        server = _server(order)
    except (RuntimeError, ValueError, OSError) as error:
        _answer(answers, {"problem": str(error)})
        return
    _answer(answers, {"base_url": f"{server.listening_address}/v1"})
    while orders.readline():
        pass


def _server(order: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["weights"]
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [order["key"]]
    params.n_parallel = min(order["parallel"], MOST_PARALLEL)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.kv_unified = True  # one answer may use the whole context while the others are short
    params.cache_ram_mib = CACHE_MIB
    params.ui, params.endpoint_slots = False, False
    params.offline = True
    return xllamacpp.Server(params)


def _answer(answers: TextIO, value: dict[str, str]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
    os._exit(0)  # llama.cpp would first finish its answers, which are not wanted any more
