"""The built-in mock model: a stand-in for offline use, with plausible outputs and a judge of simple, honest rules.

The mock makes *candidates* that keep what a plan states about their form, and *verdicts* by rules that can be read off
a criterion's words. Nothing in it is random: failures and rejections follow from a seed, the task and the attempt.

    options        the options in a model's name, such as mock:fail=0.3,seed=7
    model          implements Model: decides about failures, asks the modules below for the text, streams it
    writing        writes a candidate: JSON in the plan's shape, a table, or a short document
    samples        makes instances of a JSON Schema
    patterns       makes texts that match a regular expression
    fitting        adds to a text and takes away, so that the plan's checks pass
    phrases        finds phrases that a criterion quotes
    judging        judges a candidate
    instructions   obeys the instructions of the conformance kit instead of all that

A new kind of check is made to pass in writing (JSON) or fitting (text).
"""

from worker_svc.mock.model import MockModel
from worker_svc.mock.options import MockOptions, mock_options

__all__ = ["MockModel", "MockOptions", "mock_options"]
