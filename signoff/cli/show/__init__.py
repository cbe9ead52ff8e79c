"""How answers are printed.

    output    CommandOutput: a terminal, a pipe or JSON; everything that is printed passes here
    console   the rich console behind it, for what is drawn or coloured
    tables    executions, tasks, workers and canaries as rows and records
    amounts   tokens, money and budgets

CommandOutput writes out what hides or steers in any text (signoff.display.visible_text), so a command hands it texts as
they came; what is measured or drawn is made visible first. No other module writes to a terminal. The sentences
themselves are in signoff.display: the door answers with the same ones.
"""
