"""Answers about the state, which change nothing: why_waiting about a task, start_warnings about a plan that starts.

preview tells beforehand what a start would keep of earlier executions, what it would judge again, and what it would do.

The answers ask the state what decide/ asks it: whether a task may be given out, and whether a worker has room. So
explanations and decisions agree.

A new reason for waiting goes into `WaitingFor`, here and in execution.proto, and into the function of why_waiting.py
that looks at its side: the task's own state, its dependencies, its budget, or the workers.
"""
