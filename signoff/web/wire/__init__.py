"""The tools that all endpoints share.

    calls         a request as endpoints see it, and the description of an endpoint
    parameters    parameters of a query, checked
    messages      messages of the protos as JSON and back
    problems      errors as problem+json
    contents      artifacts, candidates and their files, which are hostile
    zips          zip files that are made while they are sent
    streamed      answers that are made while they are sent

An endpoint takes a `Call` and returns a response, or raises an error of signoff.errors or of safety.refusals.
"""
