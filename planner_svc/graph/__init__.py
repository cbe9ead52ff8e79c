"""The graph of a plan: its tree, its rules, what waits for what, and in which order tasks can run.

Nouns: the tree is the decomposition as the plan states it (tree.py). A node is an atomic task or a group, by its number
in the map: tasks first, then groups. A nesting says which tasks lie below which group (nesting.py). Each node has two
gates, begin and end; an edge leads from a gate to one that must open before it (graph.py). A level is the time at which
a gate opens; the level at which a task ends is its stage.

The way of a plan, as compiler.py calls it:

    rules.py            ids, parents and dependencies, each rule with its codes -> a tree and resolved dependencies
    graph.py            the tree -> the waiting graph and its nesting -> levels, and what each node waits for
    cycles.py           names the cycles when gates never open; the compile ends here
    artifacts.py        who makes what a task reads; adds the producers that the plan forgot to wait for
    downstream.py       the search that tells whether a task waits for a producer by way of others
    plan_inputs.py      where the plan's inputs are read, and the places for them in texts
    artifact_names.py   suggests the artifact that a name without a producer may mean

Groups are never written out as their tasks: all pairs may be millions (docs/adr/0003-groups-stay-groups.md). Nothing
recurses, and searches share a budget, so that any plan compiles in about linear time.

A new rule is a function of rules.py: it reports what breaks the rule, leaves it out of its result, and is called in
`_check_tree` of compiler.py. Its code and severity go into diagnostics.py and docs/reference/plans.md.
"""
