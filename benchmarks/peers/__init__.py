"""Other engines running the same no-op work through their public interfaces, each in an environment of its own.

They are never dependencies. `python -m benchmarks.peers NAME …` makes their environments; a peer without one is
reported as not here.
"""
