"""The built-in mock model: a stand-in for offline use, with plausible outputs and a judge of simple, honest rules."""

from worker_svc.mock.model import MockModel
from worker_svc.mock.options import MockOptions, mock_options

__all__ = ["MockModel", "MockOptions", "mock_options"]
