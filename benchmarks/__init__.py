"""Benchmarks: signoff beside the raw gRPC floor and beside other engines, on one machine, in one go.

    python -m benchmarks --quick                    # against the floor, within 45 s
    python -m benchmarks --out results.jsonl        # everything, with every peer that has an environment
    python -m benchmarks --report --out results.jsonl

Absolute times on a shared machine mean little: the engines take turns, run by run, and ratios within one run count.
"""

import os

# gRPC logs a line for every child process, unless this is set when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
