"""Each member of each request is taken as what it is, or refused by its name: by a real server."""

import pytest

from models import CLAIMS, OPERATIONS, check_answer, pairs, sample, with_member

# An agent repeats for ever a report that is refused, so of one what makes no sense is left out.
REPORTS = ["SubmitContainerStateChange", "SubmitTaskStateChange"]

# Nor is an agent refused for what it says beyond what is known.
PASSED_OVER = ["DiscoverPollEndpoint", "RegisterContainerInstance", *REPORTS]


def test_only_what_agents_say_is_passed_over():
    passing = [name for name, it in CLAIMS["operations"].items() if it["passesOverUnknownMembers"]]
    assert sorted(passing) == PASSED_OVER


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_member_that_is_not_claimed_is_refused_by_name(world, operation):
    base = world.request(operation)
    failed = []
    for pair in pairs(operation, "request"):
        if pair.claim or not pair.shape:
            continue
        answer = world.control_plane.call(operation, with_member(base, pair.path, sample(pair.shape)))
        check_answer(operation, answer)
        if operation in PASSED_OVER:
            good = answer.status == 200
        else:
            good = (
                answer.code in ("ClientException", "InvalidParameterException")
                and f"'{pair.name}'" in answer.message
            )
        if not good:
            failed.append((pair.name, answer.text))
    assert not failed


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_member_that_is_claimed_is_read(world, operation):
    """What has the wrong JSON type is refused where it is read, and only there; not in a report."""
    base = world.request(operation)
    failed = []
    for pair in pairs(operation, "request"):
        if not pair.claim:
            continue
        wrong = 7 if pair.claim["type"] in ("list", "map", "structure") else []
        answer = world.control_plane.call(operation, with_member(base, pair.path, wrong))
        check_answer(operation, answer)
        if operation in REPORTS:
            good = answer.status == 200
        else:
            good = answer.code == "SerializationException" and f"(at {pair.name})" in answer.message
        if not good:
            failed.append((pair.name, answer.text))
    assert not failed
