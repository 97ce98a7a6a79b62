"""Answers, from a real server and from the golden exchanges, held against the service model."""

import json
import pathlib

import pytest

from control_plane import TARGET, Answer
from models import OPERATIONS, check_answer
from world import NEVER_SUCCEEDS, REQUESTS

GOLDEN = pathlib.Path(__file__).parents[2] / "crates/server/tests/golden"


def exchanges(path):
    """ECS's operations of a golden file with their answers; those of our own API have no model."""
    operation = None
    for paragraph in path.read_text().rstrip().split("\n\n"):
        head, _, body = paragraph.partition("\n")
        if head.startswith(TARGET):
            operation = head[len(TARGET) :]
        elif head.startswith("POST "):
            operation = None
        elif head.isdigit() and operation:
            yield operation, Answer(int(head), {}, body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_good_request_is_answered_as_the_model_says(world, operation):
    assert operation in REQUESTS, "world.py needs a good request of it"
    answer = world.control_plane.call(operation, world.request(operation))
    assert answer.code == NEVER_SUCCEEDS.get(operation), answer.text
    check_answer(operation, answer)
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.txt")), ids=lambda it: f"{it.parent.name}/{it.stem}")
def test_a_golden_exchange_is_as_the_model_says(path):
    for operation, answer in exchanges(path):
        if operation in OPERATIONS:
            check_answer(operation, answer)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_golden_exchange_that_succeeds(operation):
    found = (
        answer
        for path in GOLDEN.glob("*/*.txt")
        for name, answer in exchanges(path)
        if name == operation and answer.status == 200 and json.loads(answer.text) is not None
    )
    assert (next(found, None) is None) == (operation in NEVER_SUCCEEDS)
