"""Values of the wire and texts in words for people: the command line prints them, and the HTTP door answers with them.

    wire_names        names of enums, times, and messages as plain records
    verdicts          verdicts and their authors
    origins           results that an execution has kept
    unread            inputs that a model was not shown
    waiting           why a task is not finished
    event_sentences   one sentence for each event of a journal
    progress          how much of an execution is signed off
    cost_records      costs as records for programs
    differences       the difference between two candidates
    file_changes      the difference between two results with files
    sizes             sizes of contents and of results with files
    result_names      names of results on a disk: an export and a zip file have the same ones
    natural_order     ids in the order in which people count
    visible_text      texts with what hides or steers a terminal written out

These are more than a dozen small modules, one for each kind of text. Only `visible_text` makes a text safe, and it is
called where a text is shown. A new kind of event gets a sentence in `event_sentences`.
"""
