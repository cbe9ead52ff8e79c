"""The HTTP door: the page for browsers, and the API for programs, in front of a planner and a runner.

    door         the process: settings, start and end (`python -m signoff.web`, `signoff ui`)
    listening    the HTTP server, and what a slow or dead client cannot do
    app          the gate that every request passes, and the way to its endpoint
    upstream     the services behind the door: it is a plain client of them, and keeps nothing
    safety/      rules that every request keeps: host, origin, token, read-only; headers of every answer
    wire/        JSON, parameters, problems, contents, and answers that are streamed
    api/         the endpoints, and the one table of them
    events/      server-sent events: one cursor over all executions of a stream
    openapi/     the description of the API, made from the table and the protos
    page/        the built page

A request passes the gate (host, origin, type), the table finds its endpoint, which checks the token, asks a service and
answers with the service's own message as JSON. An error of a service becomes a problem with the same reason.

A new path is an `Endpoint` in a module of api/; routing and the OpenAPI document follow. A new rule of safety goes into
`safety.rules`, with a guard.
"""
