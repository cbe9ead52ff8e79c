"""The places where calls of functions run: never on the worker's own event loop.

A *place* has as many *seats* as the worker has slots. A call takes a seat, and keeps it until it has really ended, even
when it was cancelled.

    choice       picks the place: a process when the function asks for one, an event loop for coroutines, else a thread
    event_loop   all coroutines, in one loop in one thread
    threads      a thread for each call
    processes    a child process for each call at a time, with child (its program) and frames (the messages)
    seats        counts the calls that run

All places implement choice.CallPlace.
"""
