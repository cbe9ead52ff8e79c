"""A worker states the own names of its models."""

from __future__ import annotations

from worker_svc.executor import Executor
from worker_svc.llm.pool import Member, ModelPool
from worker_svc.llm.port import own_names_of
from worker_svc.mock import MockModel
from worker_svc.validate.validator import Validator


def test_a_preset_says_the_name_that_its_model_has_itself() -> None:
    pool = ModelPool([Member(model=MockModel.of("mock"), preset="writer"), Member(model=MockModel.of("mock:seed=2"))])
    own = {"writer": MockModel.of("mock").name}
    assert own_names_of(pool) == own
    assert Executor(pool).offer.own_names == own
    assert Validator(pool).offer.own_names == own
