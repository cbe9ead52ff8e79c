"""Apps: functions of your own that a worker runs, to execute tasks and judge candidates.

    from signoff.app import App, Context

    app = App()

    @app.executor
    async def fetch(topic: str, limit: int = 3) -> Papers: ...

docs/reference/workers.md says how parameters are bound, what may be returned and raised, and how to start a worker with
an app.
"""

from signoff.app.app import App, Function
from signoff.app.context import CallReporter, Context
from signoff.app.failures import Cancelled, CannotTell, Failed
from signoff.app.files import FileInfo, Files
from signoff.app.values import Artifact, Document, Feedback, Output, Parameter, Task, Verdict

__all__ = [
    "App",
    "Artifact",
    "CallReporter",
    "Cancelled",
    "CannotTell",
    "Context",
    "Document",
    "Failed",
    "Feedback",
    "FileInfo",
    "Files",
    "Function",
    "Output",
    "Parameter",
    "Task",
    "Verdict",
]
