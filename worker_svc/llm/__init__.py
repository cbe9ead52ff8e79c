"""Language models behind one port.

A *model* answers a *request* with an *answer* or a *failure*. It passes on *deltas* while the answer comes, and reports
what the request has *spent*. Executors and validators know the port alone.

    port       the protocol of a model, with its requests, answers and failures
    config/    makes the models of a process from names, a file of presets, and the environment
    pool       several models behind one port; a request names the one it wants
    openai/    the adapter for endpoints that speak OpenAI's chat completions
    local/     a model on this machine, served by a child process
    account    estimates the tokens of a question, and reports its costs
    read/      takes the result out of an answer: code fences, JSON

The built-in mock is in worker_svc.mock. A new kind of endpoint is a module that implements port.Model, and a case in
config/make_model.
"""
