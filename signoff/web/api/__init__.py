"""The endpoints, by what they are about.

    table         all of them
    plans         checking, storing and reading plans; places has the lines of diagnostics
    executions    listing and reading, why and what it costs
    commands      starting, and what moves an execution or a task
    contents      files of inputs, uploaded for a start
    tasks         what a task made, attempt by attempt
    files         results with files: their list, each of them, all as a zip file
    prompts       what models were asked, and what they think
    results       everything signed off, as a zip file
    events        server-sent events
    services      workers, health, version
    session       the token becomes a cookie
    aliases       the paths of the system that this one replaces

These are more than a dozen modules, as the API has so many subjects. A new endpoint goes into the module it belongs to;
`table` has it then. docs/reference/http.md lists all of them.
"""
