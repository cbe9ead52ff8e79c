"""Real processes: `commands` runs the command line, `services` starts a service and reads it, `cluster` runs the whole
system. `busy` is a real worker within the test, `screens` an output that a test reads, `ptys` a real terminal.

The others are programs that tests start: `dying`, `lonely_worker`, `sleeper`, `spawning`, `writing_process`.
"""
