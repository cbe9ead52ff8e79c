"""How answers are printed.

    output            CommandOutput: a terminal, a pipe or JSON; texts made safe for terminals
    tables            executions, tasks, workers and canaries as rows and records
    event_sentences   one sentence for each event of a journal
    amounts           tokens, money and budgets
    differences       the difference between two candidates

Whatever comes from plans or models passes through `output.one_line` or `output.visible` before it is printed. A new
kind of event gets a sentence in `event_sentences`.
"""
