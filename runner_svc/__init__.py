"""The runner: remembers executions and schedules their tasks over the connected workers."""
