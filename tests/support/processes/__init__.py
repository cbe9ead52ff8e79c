"""Real processes: `commands` runs the command line, `services` starts a service and reads it, `cluster` runs the whole
system. `busy` is a real worker within the test, `screens` an output that a test reads, `ptys` a real terminal.

A start takes most of a short test. Commands that follow one another use the services of `shared_services`, where the
end of services shows nothing; questions with no change between them are asked in one process: `commands.in_turn`.

The others are programs that tests start: `dying`, `in_turn`, `lonely_worker`, `sleeper`, `spawning`, `writing_process`.
"""
