"""Limits of plans and tasks that several services keep.

The planner refuses a plan beyond them, with a diagnostic. Runners and workers refuse it too: a map may come from an
older planner, or from another program. docs/reference/plans.md lists all of them for people.
"""

from __future__ import annotations

# ---------------------------------------------------------------- depth

MAX_NESTING = 1_000  # tasks above a task, its parent included
MAX_JSON_DEPTH = 200  # of lists and objects in plan.json, from the outermost one
MAX_SCHEMA_DEPTH = 100  # of lists and objects in a JSON Schema, from the outermost one
MAX_PATTERN_DEPTH = 100  # of groups in a regular expression
MAX_PATH_PARTS = 100  # of a dotted path such as "a.b.c"

# ---------------------------------------------------------------- of one task

MAX_INPUTS = 100_000  # artifacts that it receives
MAX_CRITERIA = 500
MAX_CHECKS = 200  # the plan's own; with those made from criteria a task has at most MAX_CHECKS + MAX_CRITERIA
MAX_CANARIES = 20
MAX_KEYS = 1_000  # of one required_keys check
MAX_PHRASES = 100  # of one contains check
MAX_PHRASE_CHARS = 10_000  # of one phrase
MAX_MARKER_CHARS = 100  # of one separator or marker
MAX_PATH_CHARS = 10_000  # of one dotted path
MAX_REQUIRED_FILES = 1_000  # paths and patterns of one required_files check
MAX_MEDIA_TYPES = 100  # of one media_type check
MAX_COLUMNS = 1_000  # of one table check
MAX_COLUMN_CHARS = 1_000  # of the name of one column
MAX_IMAGE_SIDE = 1_000_000  # pixels, in a bound of an image check
MAX_ARCHIVE_MEMBERS = 1_000_000  # in a bound of an archive_safe check
MAX_ARCHIVE_BYTES = 1024**4  # in a bound of an archive_safe check
MAX_LABELS = 64  # of its executor, and of its judge
MAX_ESCALATION = 100  # models after failures
MAX_ARGUMENTS = 1_000  # of one program, itself included
MAX_ARGUMENT_BYTES = 128 * 1024 - 1  # of one argument; Linux starts no program with a longer one
MAX_ARGUMENTS_BYTES = 1024 * 1024  # of all arguments of one program

# ---------------------------------------------------------------- what takes time to make ready

MAX_PATTERN_CHARS = 10_000  # of one regular expression
MAX_PATTERNS_CHARS = 200_000  # of all regular expressions of a task, those in its schemas included
MAX_LARGE_SETS = 100  # sets such as [一-龥], beyond Latin-1, in all patterns of a task: each takes up to 10 ms
MAX_SCHEMA_BYTES = 1024 * 1024  # of one JSON Schema
MAX_SCHEMA_VALUES = 10_000  # in all schemas of a task, texts in an enum not counted: each takes up to 0.5 ms
MAX_SCHEMA_ENTRIES = 1_000  # of a list in a schema that holds other values than texts: they are compared pair by pair

# ---------------------------------------------------------------- files that checks read

MAX_TEXT_FILE_BYTES = 64 * 1024 * 1024  # of a file that a check of text reads; the others read files piece by piece
MAX_IMAGE_PIXELS = 100_000_000  # of a picture that is read
DEFAULT_ARCHIVE_MEMBERS = 10_000  # when archive_safe names no bound
DEFAULT_ARCHIVE_BYTES = 1024**3  # when archive_safe names no bound

# ---------------------------------------------------------------- inputs of a plan

MAX_PLAN_INPUTS = 100
MAX_INPUT_FILES = 1_000  # of one execution
MAX_INPUT_FILE_BYTES = 64 * 1024 * 1024  # of one file, as of a candidate
MAX_INPUT_BYTES = 1024 * 1024 * 1024  # of all files of one execution
MAX_INPUT_TEXT_BYTES = 256 * 1024  # of one text or JSON: it travels in messages
MAX_INPUT_TEXTS_BYTES = 1024 * 1024  # of all texts and JSON of one execution
MAX_FILLED_BYTES = 1024 * 1024  # of a task or the idea, with inputs in the places of `{{inputs.NAME}}`
MAX_INPUT_PATH_CHARS = 1_024  # of a file's path in its input

# ---------------------------------------------------------------- paths that disks take

MAX_FILE_NAME_BYTES = 255  # of a file's or a folder's name in UTF-8: no usual file system takes more
MAX_FILE_PATH_BYTES = 2_048  # of a path in UTF-8: Linux takes 4,096 with the folder that it is put into
