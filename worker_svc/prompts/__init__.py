"""Prompts: the words that executors and judges ask their models with.

A prompt is made of an *assignment*. The words of the prompt itself are instructions; everything that tasks, models,
programs and judges wrote is *data*, and stands in *blocks* that no content can end.

    messages   the prompts of the executor and the judge, and the form of the judge's answer
    candidate_files   the same for the files of a candidate
    blocks     delimited data, and an artifact as a block
    pieces     what can be shown: artifacts of one content, and the files of others
    facts      what is said of pieces that are not shown; pictures: those that a judge sees
    excerpts   which part of each input is shown, and the notes about the rest
    shares     divides the space among the inputs
    version    the digest of a prompt's words, a part of the digest of its maker

A change of a single word changes the version, and with it the makers of candidates: runners then take new candidates
for the work of another maker. So change the strings in messages, blocks and excerpts on purpose only.
"""
