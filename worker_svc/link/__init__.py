"""The worker's end of the stream to the runner.

The runner sends *assignments*, each under a *lease*; the worker answers with *reports* while it works, and with a
*result* at the end. A lost stream ends no work: the leases and results that a worker holds outlive it, and are sent
again on the next one.

    stream         keeps a session open: reconnects after a loss, opens the next session when the runner wants one
    session        one stream: reads messages and hands them on, writes frames, watches for silence
    call           the gRPC call under a session, which remembers the runner's status
    held_leases    the table of leases: does what the runner says about each of them, with
    work_queue       the slots: work that runs, and work that waits for one
    lease_work       the work under one lease: fetches inputs, calls the handler
    cancelled_work   work that is being cancelled, whose costs still count
    credit_window    says how many leases are welcome; prefetch decides how many ahead of the slots
    outbox           the messages that wait for the stream
    lease_report   collects a handler's reports, and keeps only the latest state
    lease_prompts    the prompts among them: each distinct one is sent once
    codec          messages to values, results to messages, messages to frames
    inputs         fetches inputs that are too large for an assignment
    lease_files    the files of a lease: input_files fetches those of inputs, uploads brings those of the candidate
    patience       says whether a call is made again while the runner is away, and after which pause

A message takes this way: session reads it, held_leases decides, work_queue runs the work, the report and the result go
to the outbox, and session writes them. A new message of the runner is a case in session._handle and a method of
HeldLeases; a new message of the worker goes through the outbox. There are over a dozen modules because each state of a
lease and of a stream has its own.
"""
