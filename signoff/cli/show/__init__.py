"""How answers are printed.

    output            CommandOutput: a terminal, a pipe or JSON; everything that is printed passes here
    console           the rich console behind it, for what is drawn or coloured
    tables            executions, tasks, workers and canaries as rows and records
    event_sentences   one sentence for each event of a journal
    amounts           tokens, money and budgets
    differences       the difference between two candidates

CommandOutput writes out what hides or steers in any text (signoff.display.visible_text), so a command hands it texts as
they came; what is measured or drawn is made visible first. No other module writes to a terminal. A new kind of event
gets a sentence in `event_sentences`.
"""
