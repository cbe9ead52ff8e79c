"""The services have the rpcs that were promised, and each streams where it must."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import MethodDescriptorProto

from tests.contract.descriptors import contract

PROMISED = {
    "PlannerService": {"CheckPlan", "CompilePlan", "GetPlan", "ListPlans"},
    "RunnerService": {
        "SetLayout",
        "GetLayout",
        "StartExecution",
        "PreviewExecution",
        "ListMissingContents",
        "UploadContent",
        "UploadFiles",
        "PauseExecution",
        "ResumeExecution",
        "StopExecution",
        "RetryTask",
        "JudgeTask",
        "SetBudget",
        "GetExecution",
        "ListExecutions",
        "WatchExecution",
        "GetArtifact",
        "GetCandidate",
        "ListPrompts",
        "GetPrompt",
        "GetThinking",
        "ListWorkers",
        "PruneExecutions",
        "BackUp",
    },
    "WorkerService": {"Connect"},
}


def rpcs() -> dict[str, dict[str, MethodDescriptorProto]]:
    services = [service for file in contract() for service in file.service]
    return {service.name: {method.name: method for method in service.method} for service in services}


def streams(service: str, method: str) -> tuple[bool, bool]:
    """Tells whether the client streams, and whether the server does."""
    found = rpcs()[service][method]
    return found.client_streaming, found.server_streaming


def test_every_promised_rpc_exists_and_no_other() -> None:
    assert {service: set(methods) for service, methods in rpcs().items()} == PROMISED


def test_what_may_be_long_is_streamed_to_the_client() -> None:
    for method in (
        "WatchExecution",
        "GetArtifact",
        "GetCandidate",
        "GetPrompt",
        "GetLayout",
        "PruneExecutions",
        "BackUp",
    ):
        assert streams("RunnerService", method) == (False, True), method
    assert streams("PlannerService", "GetPlan") == (False, True)


def test_a_plan_of_any_size_can_be_sent() -> None:
    assert streams("PlannerService", "CheckPlan") == (True, True)
    assert streams("PlannerService", "CompilePlan") == (True, True)


def test_files_of_inputs_and_of_candidates_are_streamed_to_the_runner() -> None:
    assert streams("RunnerService", "UploadContent") == (True, False)
    assert streams("RunnerService", "UploadFiles") == (True, False)


def test_workers_and_runner_talk_both_ways_in_frames_of_many_messages() -> None:
    assert streams("WorkerService", "Connect") == (True, True)
    fields = {message.name: list(message.field) for file in contract() for message in file.message_type}
    for frame in ("ConnectRequest", "ConnectResponse"):
        assert [field.label for field in fields[frame]] == [fields[frame][0].LABEL_REPEATED]


def test_every_other_rpc_is_one_question_and_one_answer() -> None:
    streaming = {
        "CheckPlan", "CompilePlan", "GetPlan", "GetLayout", "WatchExecution", "GetArtifact", "GetCandidate",
        "GetPrompt", "PruneExecutions", "BackUp", "UploadContent", "UploadFiles", "Connect",
    }  # fmt: skip
    unary = [name for methods in rpcs().values() for name in methods if name not in streaming]
    for service, methods in rpcs().items():
        for name in methods:
            if name in unary:
                assert streams(service, name) == (False, False), name
