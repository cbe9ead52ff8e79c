"""`signoff top`: a run and its workers on the whole terminal, with keys to steer it.

    command   starts it; without a terminal, `signoff watch` in its place
    session   the connection: which execution, its view, the workers, and whether the runner answers
    thinking  what a worker thinks aloud: what the runner has kept of it, and what came since
    rows      tasks, stages and workers as lines of text: failed first, filtered
    tables    a list of any length that draws only the lines on the screen
    dialogs   questions: to confirm, to give a reason, to read a candidate, to choose
    orders    what keys do at the runner: pause, retry, approve, …
    steering  a key from its press to its end: the question, the order, and what came of it
    views     the two views on the screen: the run, and the workers
    app       the screen itself, and its keys

A message of the watch is folded into the view (signoff.client.view). Four times a second the screen is drawn anew from
the view, when it has changed. What is shown is made visible in `rows` and `dialogs`, and once more before it is drawn.
A new key is a binding in `app`, its way in `steering`, and an order in `orders`.
"""
