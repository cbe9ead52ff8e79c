"""The floor: a minimal runner over gRPC streams, which shows what the transport and the disk alone allow.

It is no engine: it has no retries, leases, fencing, restart or watchers. There are two worker processes with seven and
five slots. All ready items go out together, at most 32 a frame, and results come back the same way. Every result is
committed to SQLite before a node that depends on it starts, and one commit takes all results that came during the last.
"""
