"""Adapters between gRPC and the engine: they convert, wait and send, and decide nothing.

Two services meet the engine here. `runner_service` serves clients: a command becomes a signal (codec.settings …), the
engine decides and commits, and the answer is made from the state (codec.views). Longer answers have modules of their
own:

    one_execution   GetExecution: an execution, a page of its tasks, and how far its files are written
    pages         lists in pages; a token says where the next one begins
    watching      WatchExecution: history or a snapshot, then the events of the feed
    snapshots     a snapshot of one moment, written in slices while the execution goes on
    task_journal  the events of one task, in pages of its execution's journal
    candidates    GetCandidate: a candidate and its fate, folded from the journal
    layouts       GetLayout: the layout of a plan, or of the map that an execution runs
    prompts       ListPrompts and GetPrompt, folded from the journal
    worker_list   ListWorkers
    content_uploads   ListMissingContents and UploadContent: files of inputs, before a start names them
    file_uploads   UploadFiles: the files of a candidate, under the lease of its attempt
    upload_places  how many of those a worker may send at once, and how much under one lease
    manifests      manifests of candidates: held against what was brought, and read for single files
    sending        streams of a content, a range of it, or its files

`worker_service` serves workers: each stream is a session, its messages become signals in their order (codec.frames).

    uploads       candidates that come in chunks, bounded in bytes
    prompt_intake   prompts of workers, in chunks too
    leases        the contents that the holder of a lease may read
    hub           the sessions of all workers: the engine's commands find their way out here

There are over a dozen siblings, because each longer answer and each part of a stream has a module.

A new rpc is a method in one of the two services: it checks what protos/ does not bound, and asks or submits. A rule
about tasks or workers belongs into core/decide, not here.
"""
