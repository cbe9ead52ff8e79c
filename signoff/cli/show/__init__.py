"""How answers are printed.

    output    CommandOutput: a terminal, a pipe or JSON; texts made safe for terminals
    tables    executions, tasks, workers and canaries as rows and records
    amounts   tokens, money and budgets

Whatever comes from plans or models passes through `output.one_line` or `output.visible` before it is printed. The
sentences themselves are in signoff.display: the door answers with the same ones.
"""
