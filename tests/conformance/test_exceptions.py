"""Every exception that an operation claims is one that it answers: to a request made for it here,
or in a golden exchange."""

import pytest

from models import CLAIMS, OPERATIONS, STRUCTURES, check_answer, claimed
from test_responses import GOLDEN, exchanges

GOLDEN_CODES = {
    (operation, answer.code)
    for path in GOLDEN.glob("*/*.txt")
    for operation, answer in exchanges(path)
    if answer.status != 200
}


NOBODY = "0b69d5c0d655469598cd5d2d526d9d5a"
ARN = "arn:aws:ecs:us-east-1:123456789012:"
MISSING = [f"{ARN}cluster/elsewhere", f"{ARN}task/default/{NOBODY}"]

# What no caller can bring about, but must not be lost if it should come to be: a cluster that has
# tasks has container instances, which are what is refused first.
# And what needs a server that maps FARGATE to its instances: the server's own tests have one.
FROM_WITHIN = {
    "DeleteCluster": {"ClusterContainsTasksException"},
    "RunTask": {"PlatformUnknownException"},
}

# What only few operations refuse: requests in the order in which they are sent.
OF_ITS_OWN = {
    "DeleteAttributes": lambda world: on_nobody(),
    "DeleteCluster": lambda world: [{"cluster": "default"}],
    "DeregisterContainerInstance": lambda world: [{"cluster": "elsewhere", "containerInstance": NOBODY}],
    "ListTagsForResource": lambda world: [{"resourceArn": it} for it in MISSING],
    "ListTasks": lambda world: [{"serviceName": "nosuchservice"}],
    "PutAttributes": lambda world: [*on_nobody(), *too_many_attributes(world.register())],
    "RunTask": lambda world: [
        {"taskDefinition": world.define(), "clientToken": "same"},
        {"taskDefinition": world.define(), "clientToken": "same"},
    ],
    "StartTask": lambda world: [
        {"cluster": "elsewhere", "taskDefinition": world.define(), "containerInstances": [NOBODY]}
    ],
    "StopTask": lambda world: [{"cluster": "elsewhere", "task": NOBODY}],
    "TagResource": lambda world: [
        *({"resourceArn": it, "tags": tags(0, 1)} for it in MISSING),
        *too_many_tags(world.cluster()),
    ],
    "UntagResource": lambda world: [{"resourceArn": it, "tagKeys": ["a"]} for it in MISSING],
    "UpdateContainerAgent": lambda world: [
        {"cluster": "elsewhere", "containerInstance": NOBODY},
        {"containerInstance": world.register(versionInfo={})},
    ],
    "UpdateContainerInstancesState": lambda world: [
        {"cluster": "elsewhere", "containerInstances": [NOBODY], "status": "ACTIVE"}
    ],
}


def on_nobody():
    """Attributes of an instance that is not there, in a cluster that is and in one that is not."""
    attribute = {"name": "a", "targetType": "container-instance", "targetId": NOBODY}
    return [{"attributes": [attribute]}, {"attributes": [attribute], "cluster": "elsewhere"}]


def too_many_attributes(arn):
    attributes = [{"name": f"a{number}", "targetId": arn} for number in range(11)]
    return [{"attributes": attributes[:10]}, {"attributes": attributes[10:]}]


def tags(first, end):
    return [{"key": f"k{number}", "value": "v"} for number in range(first, end)]


def too_many_tags(arn):
    return [{"resourceArn": arn, "tags": tags(0, 50)}, {"resourceArn": arn, "tags": tags(50, 51)}]


def bad_requests(operation, good):
    """Requests that most operations refuse."""
    members = STRUCTURES[claimed(operation, "request")["structure"]]
    yield {}
    yield {**good, "neverHeardOf": True}
    if "cluster" in members:
        yield {**good, "cluster": "elsewhere"}
    for name in members:
        if name in good:
            yield {it: value for it, value in good.items() if it != name}
            if isinstance(good[name], list):
                yield {**good, name: []}
            if isinstance(good[name], str):
                yield {**good, name: "no such thing!"}
                yield {**good, name: "nosuchthing"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_claimed_exception_is_answered(world, operation):
    claims = set(CLAIMS["operations"][operation]["exceptions"])
    seen = {code for name, code in GOLDEN_CODES if name == operation}
    requests = list(bad_requests(operation, world.request(operation)))
    requests += OF_ITS_OWN.get(operation, lambda world: [])(world)
    for request in requests:
        answer = world.control_plane.call(operation, request)
        check_answer(operation, answer)
        seen.add(answer.code)
    assert claims - seen == FROM_WITHIN.get(operation, set())
