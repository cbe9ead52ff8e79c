"""Committed changes as others see them: the feed of events, files for people, metrics; and thinking, which is lossy.

Everything here happens after the commit and can be made again from the journal: losing it costs no result. Thinking is
no part of the journal, and is lost with the process.

    feed             hands events to watchers
    last_thoughts    keeps the end of what each worker at work thinks
    output_files     writes artifacts as output.json, whose form is in output_document
    result_folders   writes the files of results that have several, beside it
    metrics          answers Prometheus, over http_page
"""
