"""Recovery: the state from the store at a start, and back into it by checkpoints.

recovery     builds the state, and brings archived executions back
checkpoints  takes checkpoints, and knows what the last one has
earlier      what earlier executions of a plan have signed off, for one that may keep it
damaged      executions that cannot be built, and what is still known of them
visitors     executions that questions have brought back, which leave again
in_turns     long work in steps, between which the loop serves others
"""
