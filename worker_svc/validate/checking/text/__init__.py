"""Properties of texts that several checks and the judge need. Nothing here knows of checks or candidates.

    scripts      letters, and scripts that put no space between words
    folding      one spelling for texts that look the same to a reader; phrases and quotations are compared folded
    markdown     lines with their kinds: headings, items, code, tables
    sentences    the sentences of a paragraph
    word_count   numbers of words, as people count
    lengths      numbers of characters, as people count

Every step is linear in the text, for a candidate may have 64 MiB. When people count in several ways, a function returns
the least and the largest number, and the check decides only when both agree.
"""
