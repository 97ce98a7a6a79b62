"""What Longshore claims, held against the service model, without asking a server."""

import pytest

from models import CLAIMS, COMMON_ERRORS, MODEL, OF_2017, OPERATIONS, declared_errors, pairs

# Of our own agent, until there is telemetry: official agents tell a container's health by that.
OURS = {"SubmitTaskStateChange": ["containers[0].healthStatus", "containers[0].healthStatusSince"]}


def test_every_operation_is_one_of_ecs():
    if OF_2017:
        assert len(OPERATIONS) > 10
    else:
        assert OPERATIONS == sorted(CLAIMS["operations"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_of_the_response_is_in_the_model_with_its_type(operation):
    found = [it for it in pairs(operation, "response") if it.claim]
    unknown = [it.name for it in found if not it.shape]
    wrong = {
        it.name: (it.shape.type_name, it.claim["type"])
        for it in found
        if it.shape and it.shape.type_name != it.claim["type"]
    }
    assert not wrong
    # What joined later is unknown to the model of 2017.
    assert OF_2017 or not unknown


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_of_the_request_has_the_type_of_the_model(operation):
    wrong = {
        it.name: (it.shape.type_name, it.claim["type"])
        for it in pairs(operation, "request")
        if it.shape and it.claim and it.shape.type_name != it.claim["type"]
    }
    assert not wrong


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_only_one_side_has(operation):
    if OF_2017:
        # Every member of June 2017 is there.
        both = pairs(operation, "request") + pairs(operation, "response")
        assert not [it.name for it in both if not it.claim]
    else:
        # Agents send a few members that the public model lacks: they are taken without effect,
        # but for what our own agent tells.
        beyond = [it for it in pairs(operation, "request") if not it.shape]
        with_effect = [it.name for it in beyond if not it.is_without_effect]
        assert with_effect == OURS.get(operation, [])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_exception_is_declared(operation):
    claimed = set(CLAIMS["operations"][operation]["exceptions"])
    assert not claimed & COMMON_ERRORS
    if OF_2017:
        # What 2017 had no name for tells of something that it did not have.
        claimed &= set(MODEL.shape_names)
    assert claimed <= declared_errors(operation)
