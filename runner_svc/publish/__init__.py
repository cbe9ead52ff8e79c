"""Committed changes as others see them: the feed of events, files for people, and metrics.

Everything here happens after the commit and can be made again from the journal: losing it costs no result.
`feed` hands events to watchers. `last_thoughts` keeps the end of what each worker thinks. `output_files` writes
artifacts as output.json. `metrics` answers Prometheus, over `http_page`.
"""
