"""StartTask: the caller names the container instances."""

import pytest
from botocore.exceptions import ClientError

from tasks import by_name, container, quiet

MISSING = ["0123456789abcdef0123456789abcdef", "01234567-89ab-4def-8123-456789abcdef"]


def test_a_task_starts_on_the_named_instance(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    definition = tasks.define(container())
    for name in (arn, arn.rpartition("/")[2]):
        answer = tasks.start(definition, [name], startedBy="me", group="mine")
        assert answer["failures"] == []
        (task,) = answer["tasks"]
        assert task["containerInstanceArn"] == arn
        assert task["lastStatus"] == "PENDING"
        assert (task["startedBy"], task["group"]) == ("me", "mine")
        assert tasks.page(tasks.running(task))["args"][1] == "serve"


@pytest.mark.parametrize("unknown", MISSING)
def test_an_unknown_instance_is_missing(tasks, server, unknown):
    answer = tasks.start(tasks.define(quiet()), [unknown])
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert failure["reason"] == "MISSING"
    assert failure["arn"].startswith(server.arn("container-instance/"))
    assert failure["arn"].endswith("/" + unknown.replace("-", ""))


def test_some_may_start_while_others_fail(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    answer = tasks.start(tasks.define(quiet()), [MISSING[0], arn])
    assert [it["reason"] for it in answer["failures"]] == ["MISSING"]
    (task,) = answer["tasks"]
    tasks.running(task)


def test_an_instance_named_twice_gets_two_tasks(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    assert len(tasks.start(tasks.define(quiet()), [arn, arn])["tasks"]) == 2


def test_too_much_is_a_failure(tasks):
    instance = tasks.instance()
    arn = instance["containerInstanceArn"]
    total = by_name(instance["registeredResources"])
    answer = tasks.start(tasks.define(quiet(memory=total["MEMORY"] + 1)), [arn])
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert (failure["arn"], failure["reason"]) == (arn, "RESOURCE:MEMORY")


@pytest.mark.parametrize(
    "instances, code, message",
    [
        ([], "ClientException", "Container Instances cannot be empty."),
        (MISSING[:1] * 11, "InvalidParameterException", "instanceIds can have at most 10 items."),
    ],
)
def test_bad_lists_are_refused(tasks, instances, code, message):
    with pytest.raises(ClientError) as raised:
        tasks.start(tasks.define(quiet()), instances)
    error = raised.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message)


def test_an_unknown_container_in_an_override_is_refused(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    with pytest.raises(ClientError) as raised:
        tasks.start(
            tasks.define(quiet()), [arn], overrides={"containerOverrides": [{"name": "x", "memory": 8}]}
        )
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"
