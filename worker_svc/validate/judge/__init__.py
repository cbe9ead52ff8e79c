"""The judge: a model that is asked about criteria in words, once or by vote, and believed only as far as it can be.

A judge answers each *criterion* with a *verdict*: an outcome, a reason, and *evidence* from the candidate. The reader
of the answer turns it into an *opinion*, and the votes of several judges become one *judgement*.

    panel      asks the model, as often as the plan wants votes, and part by part when the candidate is long
    files      a candidate with files, as a judge can read it
    parts      cuts a long candidate into parts, and merges the opinions on them
    answer     reads an answer: one JSON with the nonce of its request, or a BrokenAnswer
    verdicts   the fields of a verdict, in the forms that models give them
    criteria   the nature of a criterion: it decides which kinds of evidence count
    grounds    verifies the evidence of a pass, with evidence (quotations), fields (lines, cells, values) and
               counting (numbers that code can count again)
    reasons    finds reasons that contradict their pass
    repeats    finds verdicts that a judge copied from the candidate
    votes      counts the votes on a criterion

A pass that fails any of these rules is an error and no pass: a wrong sign-off costs more than another question. A new
rule about passes goes into answer._opinion; a new form that models answer in goes into answer or verdicts. There are
a dozen modules because each rule reads the answer in its own way.
"""
