"""The floor: a minimal runner over gRPC streams, which shows what the transport and the disk alone allow.

Not an engine: no retries, no leases, no fencing, no restart, nobody who watches. Two worker processes with seven and
five slots; whatever is ready goes out together, at most 32 items a frame, and results come back the same way; every
result is committed to SQLite before what depends on it starts, and one commit takes all results that came during the
last one.
"""
