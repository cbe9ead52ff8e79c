"""Criteria that code can decide: "The output has at least 200 words" becomes a check when the plan is compiled.

A criterion is a sentence of `validation.criteria`. A form is a pattern over whole criteria, with a maker that turns a
match into a check, or into nothing when the output's format leaves a doubt. Every other criterion goes to the judge.

    criteria.py            the forms in English and Chinese, and their makers
    criteria_patterns.py   the parts of forms: amounts, quoted phrases, names of keys, and what a format promises
    placeholders.py        quoted phrases that may stand for other words, so that no check searches for them
    source_marks.py        how sources are marked; without a mark they are not counted
    notes.py               the sentences that tell an author which criteria code decides

`check_of_criterion` removes extra white space and the lead ("The output must …"); then the first form that matches the
whole rest makes the check. A new form is a row of `_ENGLISH` or `_CHINESE` in criteria.py, a row of
docs/reference/plans.md, and rows of the table in tests/planner_svc/criteria, among them sentences that must not match.
"""
