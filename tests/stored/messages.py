"""The messages of the crew: costs, candidates and verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2
from tests.support.work.brought_files import manifest_body

CHUNK = 200_000  # bytes
INLINE = 256 * 1024  # bytes of a candidate that travels in one message


def candidate(assign: worker_pb2.Assign, body: bytes, media_type: str = "text/plain") -> worker_pb2.WorkerMessage:
    return worker_pb2.WorkerMessage(
        candidate=worker_pb2.Candidate(
            lease_id=assign.lease_id,
            inline=body if len(body) <= INLINE else b"",
            size_bytes=len(body),
            digest=hashlib.sha256(body).hexdigest(),
            media_type=media_type,
            maker="crew",
        )
    )


def candidate_of(assign: worker_pb2.Assign, files: Mapping[str, bytes]) -> worker_pb2.WorkerMessage:
    """Returns the candidate that names files."""
    return candidate(assign, manifest_body(files), MANIFEST_TYPE)


def chunks(assign: worker_pb2.Assign, body: bytes) -> Iterator[worker_pb2.WorkerMessage]:
    """Yields the chunks of a candidate that is too large for one message."""
    for start in range(0, len(body) if len(body) > INLINE else 0, CHUNK):
        chunk = worker_pb2.CandidateChunk(lease_id=assign.lease_id, offset=start, data=body[start : start + CHUNK])
        yield worker_pb2.WorkerMessage(candidate_chunk=chunk)


def usage(
    assign: worker_pb2.Assign, model: str, tokens_in: int, tokens_out: int, *, estimated: int = 0
) -> worker_pb2.WorkerMessage:
    """Returns the costs of a lease. `estimated`: tokens that no provider has counted, in either direction."""
    spent = worker_pb2.Usage(
        lease_id=assign.lease_id,
        model=model,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        requests=1,
        estimated_input_tokens=estimated,
        estimated_output_tokens=estimated,
    )
    return worker_pb2.WorkerMessage(usage=spent)


def verdict(assign: worker_pb2.Assign, *, passes: bool) -> worker_pb2.WorkerMessage:
    """Returns a verdict with a result for each criterion of the task."""
    outcome = pb.OUTCOME_PASS if passes else pb.OUTCOME_FAIL
    results = [
        pb.CriterionResult(criterion=criterion, outcome=outcome, reason="as the crew sees it", criterion_number=number)
        for number, criterion in enumerate(_criteria(assign), 1)
    ]
    results += [
        pb.CriterionResult(criterion="a check", outcome=outcome, deterministic=True, check_number=number)
        for number, check in enumerate(assign.task.validation.checks, 1)
        if not check.criterion
    ]
    return worker_pb2.WorkerMessage(
        verdict=worker_pb2.Verdict(
            lease_id=assign.lease_id,
            outcome=outcome,
            results=results,
            feedback="" if passes else "it is bad",
            retry_worthwhile=True,
            judge="crew",
        )
    )


def _criteria(assign: worker_pb2.Assign) -> Sequence[str]:
    """Returns the criteria of the task; for a task without any, one about its output."""
    return assign.task.validation.criteria or ("The output is as described.",)
