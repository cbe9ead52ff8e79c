"""What runs the functions of an app: signatures, binding, calling, and the places where a call runs.

User code never runs on the worker's own event loop: coroutines have a loop in a thread of its own, other functions a
thread or a process each. Nothing here imports gRPC but `executor`, `checks` and `jobs`: the child processes do without.
"""
