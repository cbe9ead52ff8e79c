"""The parts of docs/ that are made from the code, and the tests that compare them.

    python -m tests.docs              writes every such part: the diagram of states, where things live, the limits
    python -m tests.docs.picture      runs an example in a terminal and draws the screen as docs/run.svg

`states` draws the table of transitions, `tree` lists the packages with the first lines of their docstrings, `places`
puts a text between its marks on a page.
"""
