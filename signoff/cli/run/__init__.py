"""The work of the commands that take a plan file, or start services.

    compile_plan         compile
    run                  run: services of its own, then the plan to its end
    submit               submit: the same on services that are up
    serve                serve and worker
    plan_files           reads plan files, names plans, shows diagnostics
    execution_settings   makes the settings of an execution from flags
    inputs               --input and --set
    diff                 diff: what a run would keep and do
    start_execution      compiles on the planner, and starts or resumes an execution
    page                 --ui, and the command ui
    interrupts           Ctrl-C while services run

A plan goes from `plan_files` to `start_execution`, and from there to signoff.cli.watch, which follows it. A new flag
for executions is declared in signoff.cli.flags, joins a group in signoff.cli.flag_groups, and is read in
`execution_settings`.
"""
