"""The processes of a world: real code of the product in a process of the virtual clock, behind the modelled network.

`runner` is the real engine with its services. `workers` are real workers with their supervisor; `models` are their
scripted models, and `liar` falsifies what they send. `people` give commands and verdicts. `watchers` follow executions
and check that they miss nothing.
"""
