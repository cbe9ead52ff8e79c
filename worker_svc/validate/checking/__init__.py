"""The kinds of deterministic checks, one function each: it returns when the candidate passes, and raises otherwise.

A check function takes the plan's Check and the candidate's bytes. It raises CheckFailed with the reason when the
candidate fails, and CheckBroken when it cannot decide. A check that was made from a criterion in words
(`check.criterion`) decides only when all ways to count or read agree; otherwise it raises CheckBroken, and a judge
decides.

    reading      the candidate as text, JSON or prose, and the two exceptions
    looked_at    the file that a check looks at, or the candidate as one content
    files/       size, media type, pictures, tables and archives: checks that read no text as a whole
    form         JSON, keys, entries, patterns, length, number of words; also the comparison with bounds
    number       a number in JSON
    schema       a JSON Schema
    promised     the format that the plan states for the output
    parts        sentences, paragraphs, headings and the like, counted
    phrases      phrases at any place, at the beginning or the end; mentions says how a phrase stands in a text
    marks        case, a title, quotation marks, a postscript
    citations    sources
    language     the language of the text
    patterns     regular expressions, in linear time when possible
    text/        properties of texts that several checks need

A new check goes into the module that reads the same part of a candidate, and into the table of checks.py. There are
more than a dozen modules because each kind of check reads candidates in its own way.
"""
