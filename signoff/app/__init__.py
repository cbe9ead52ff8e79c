"""Your own code as a worker: an app is a set of functions that execute tasks and judge candidates.

    from signoff.app import App, Context

    app = App()

    @app.executor
    async def fetch(topic: str, limit: int = 3) -> Papers: ...

docs/reference/workers.md says how parameters are bound, what may be returned and raised, and how to start a worker with
an app.
"""

from signoff.app.app import App, Function
from signoff.app.context import Context, Line
from signoff.app.failing import Cancelled, CannotTell, Failed
from signoff.app.values import Artifact, Document, Feedback, Output, Parameter, Task, Verdict

__all__ = [
    "App",
    "Artifact",
    "Cancelled",
    "CannotTell",
    "Context",
    "Document",
    "Failed",
    "Feedback",
    "Function",
    "Line",
    "Output",
    "Parameter",
    "Task",
    "Verdict",
]
