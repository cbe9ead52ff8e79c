"""Reading plan.json: from bytes to a typed `Plan`, with a diagnostic for every mistake and no exception for any.

    parse.py          bytes to JSON, then the fields of the plan, then one task after another
    plain_tasks.py    the fast way to read a task without a mistake, which nearly all are
    task_reader.py    the careful way for all other tasks, with the path of every mistake
    specs.py          the objects for executors, budgets, judges and canaries
    plan_inputs.py    the inputs that the plan declares
    output_files.py   the patterns of the files that a result is made of
    fields.py         single values with their bounds, and `Fields`, which reads an object with them
    sizes.py          the bytes that a task takes on the wire

The names of fields are decided before an object is read:

    vocabulary.py     the table of all objects and names in a plan: fields, synonyms, foreign names
    check_vocabulary.py   its rows for checks
    object_types.py   the type of one row of that table
    field_names.py    goes over an object with the table: corrects, accepts, or reports a name
    spelling.py       nearly equal names; also used for the names of artifacts and kinds of check

For rare cases the plan is read a second time: exact.py keeps all digits of numbers, repeated_keys.py names the keys
that stand twice in an object. places.py makes the paths of diagnostics.

A new field is an entry of the vocabulary, a read of it in task_reader.py or specs.py, and a field of model.py. A wrong
value counts as an absent one from then on, so that one mistake causes one diagnostic. The folder has more than a dozen
modules because a plan of millions of tasks needs the fast way beside the careful one, and rare cases their own slow
ways.
"""
