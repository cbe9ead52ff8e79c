"""The adapter for endpoints that speak OpenAI's chat completions, or something close to it.

A request becomes a *question* in the endpoint's parameters. The body of the response is a stream of *events*; each has
a *chunk*, in the endpoint's *dialect*. The chunks add up to a *partial answer*, and at its end to an answer or a
failure.

    model            the Model: asks, repeats a refused question with less, turns errors into failures
    question         the parameters of a request, and the ones that the endpoint refused
    client           the HTTP client, with the limits of a connection
    chunks           reads the chunks of a body, with sse (events)
    dialects         rewrites chunks and errors into OpenAI's form
    partial_answer   adds the chunks up, hides secrets, decides whether the end is a good one, with thoughts
    token_counts     reads the endpoint's counts of tokens
    failures         the kinds of ModelFailure for statuses and errors; error_body bounds the body of a refusal
    bounds           limits in characters, events, bytes and seconds: an endpoint may send anything

A new dialect is a rule in dialects, token_counts or thoughts, a row in docs/reference/endpoints.md, and a test of that
row. There are about a dozen modules because each knows one way in which endpoints differ.
"""
