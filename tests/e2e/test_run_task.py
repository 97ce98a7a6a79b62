"""RunTask: from the call to a container that answers."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from tasks import container, container_of, quiet


def test_a_task_goes_from_pending_to_running_and_answers_on_its_port(tasks, server):
    definition = tasks.define(container())
    task = tasks.run_one(definition)

    assert re.fullmatch(server.arn("task/default/[0-9a-f]{32}"), task["taskArn"])
    assert task["clusterArn"] == server.arn("cluster/default")
    assert task["taskDefinitionArn"] == server.arn(f"task-definition/{definition}")
    assert task["containerInstanceArn"] == tasks.instance()["containerInstanceArn"]
    assert task["lastStatus"] == "PENDING"
    assert task["desiredStatus"] == "RUNNING"
    assert task["version"] == 1
    assert task["group"] == "family:" + definition.split(":")[0]
    assert task["overrides"] == {"containerOverrides": [{"name": "main"}]}
    assert "startedBy" not in task
    assert "startedAt" not in task
    (pending,) = task["containers"]
    assert pending["name"] == "main"
    assert pending["lastStatus"] == "PENDING"
    assert pending["taskArn"] == task["taskArn"]
    assert pending["networkBindings"] == []

    assert tasks.describe(task)["taskArn"] == task["taskArn"], "describable at once"

    task = tasks.running(task)
    assert task["version"] > 1
    assert task["startedAt"] >= task["createdAt"]
    assert container_of(task)["lastStatus"] == "RUNNING"
    (binding,) = container_of(task)["networkBindings"]
    assert binding["containerPort"] == 8080
    assert binding["hostPort"] > 0
    assert binding["protocol"] == "tcp"
    assert binding["bindIP"] == "0.0.0.0"
    assert tasks.page(task)["args"] == ["/longshore-probe", "serve"]


def test_the_container_is_named_and_labelled_as_the_agent_of_ecs_does(tasks, server):
    task = tasks.run_until_running(container("web"))
    family, revision = task["taskDefinitionArn"].rpartition("/")[2].split(":")
    inspected = tasks.inspect(task, "web")
    assert re.fullmatch(f"/ecs-{family}-{revision}-web-[0-9a-f]{{20}}", inspected["Name"])
    labels = inspected["Config"]["Labels"]
    prefix = "com.amazonaws.ecs."
    assert labels[prefix + "task-arn"] == task["taskArn"]
    assert labels[prefix + "container-name"] == "web"
    assert labels[prefix + "task-definition-family"] == family
    assert labels[prefix + "task-definition-version"] == revision
    assert labels[prefix + "cluster"] == "default"


def test_count_starts_as_many_copies(tasks):
    started = tasks.run(tasks.define(quiet(cpu=10)), count=3)
    assert len({task["taskArn"] for task in started}) == 3
    for task in started:
        tasks.running(task)


def test_a_family_alone_means_its_newest_revision(tasks):
    first = tasks.define(quiet())
    family = first.split(":")[0]
    tasks.define(quiet(), family=family)
    assert tasks.run_one(family)["taskDefinitionArn"].endswith(f"/{family}:2")
    assert tasks.run_one(first)["taskDefinitionArn"].endswith(f"/{family}:1")


def test_started_by_and_group_are_kept_and_list_tasks_filters(tasks):
    definition = tasks.define(quiet())
    family = definition.split(":")[0]
    one = tasks.run_one(definition, startedBy=f"{family}-one", group="batch")
    two = tasks.run_one(definition, startedBy=f"{family}-two")
    assert tasks.describe(one)["startedBy"] == f"{family}-one"
    assert tasks.describe(one)["group"] == "batch"

    def listed(**members):
        return set(tasks.ecs.list_tasks(**members)["taskArns"])

    both = {one["taskArn"], two["taskArn"]}
    assert listed(family=family) == both
    assert listed(startedBy=f"{family}-one") == {one["taskArn"]}
    assert both <= listed()
    assert both <= listed(containerInstance=one["containerInstanceArn"])
    assert both <= listed(containerInstance=one["containerInstanceArn"].rpartition("/")[2])
    assert listed(startedBy="nobody") == set()
    assert listed(family=family, desiredStatus="STOPPED") == set()

    tasks.stop(one)
    assert listed(family=family) == {two["taskArn"]}, "the filter is on the desired status"
    assert listed(family=family, desiredStatus="STOPPED") == {one["taskArn"]}
    tasks.stopped(one)
    assert listed(family=family, desiredStatus="STOPPED") == {one["taskArn"]}

    page = tasks.ecs.list_tasks(maxResults=1)
    assert len(page["taskArns"]) == 1


TEN_AND_ONE = [{"type": "memberOf", "expression": "attribute:a exists"}] * 11
INVALID, CLIENT = "InvalidParameterException", "ClientException"


@pytest.mark.parametrize(
    "members, code, message",
    [
        ({"taskDefinition": ""}, CLIENT, "TaskDefinition can not be blank."),
        ({"taskDefinition": "no-such-family"}, CLIENT, "TaskDefinition not found."),
        ({"taskDefinition": "no-such-family:1"}, CLIENT, "TaskDefinition not found."),
        ({"taskDefinition": "FAMILY:9"}, CLIENT, "TaskDefinition not found."),
        ({"taskDefinition": "FAMILY:abc"}, INVALID, "Invalid revision number. Number: abc"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found."),
        ({"count": 0}, INVALID, "count must be at least 1"),
        ({"count": -1}, INVALID, "count must be at least 1"),
        ({"count": 11}, INVALID, "count must be at most 10"),
        ({"startedBy": "x" * 129}, INVALID, "startedBy longer than 128."),
        ({"group": "service:mine"}, INVALID, "Invalid namespace for group."),
        (
            {"overrides": {"containerOverrides": [{"name": "mian", "cpu": 1}]}},
            INVALID,
            "Override for container named mian is not a container in the TaskDefinition.",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
            INVALID,
            "Container Overrides length must be at most 8192",
        ),
        (
            {"placementConstraints": [{"type": "distinctInstance", "expression": ""}]},
            INVALID,
            "distinctInstance expression should not be specified.",
        ),
        ({"placementConstraints": TEN_AND_ONE}, INVALID, "Maximum number of constraints is 10"),
        ({"placementStrategy": [{"type": "random"}] * 6}, INVALID, "Maximum number of strategies is 5"),
        (
            {"placementStrategy": [{"type": "binpack", "field": "disk"}]},
            INVALID,
            "binpack field 'disk' is invalid",
        ),
        (
            {"placementStrategy": [{"type": "random", "field": "cpu"}]},
            INVALID,
            "random field should not be specified",
        ),
    ],
)
def test_bad_input_is_refused_with_the_words_of_ecs(tasks, members, code, message):
    definition = tasks.define(quiet())
    members = json.loads(json.dumps(members).replace("FAMILY", definition.split(":")[0]))
    # Of a full stop at the end the sources are not sure in places.
    with pytest.raises(ClientError) as raised:
        tasks.run(members.pop("taskDefinition", definition), **members)
    error = raised.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].rstrip(".") == message.rstrip(".")


@pytest.mark.parametrize(
    "members",
    [
        {"startedBy": "not allowed!"},
        {"placementConstraints": [{"type": "memberOf"}]},
        {"placementConstraints": [{"type": "memberOf", "expression": "attribute:stack =="}]},
        {"placementConstraints": [{"type": "nearby"}]},
        {"placementStrategy": [{"type": "pile"}]},
        {"placementStrategy": [{"type": "spread"}]},
        {"group": "x" * 256},
        {"overrides": {"containerOverrides": [{"cpu": 1}]}},
        {"overrides": {"containerOverrides": [{"name": "main"}, {"name": "main"}]}},
        {"overrides": {"containerOverrides": [{"name": "main", "memoryReservation": 65}]}},
        {"overrides": {"containerOverrides": [{"name": "main", "memory": 31}]}},
        {"overrides": {"containerOverrides": [{"name": "main", "cpu": -1}]}},
    ],
    ids=json.dumps,
)
def test_other_bad_input_is_an_invalid_parameter(tasks, members):
    definition = tasks.define(quiet(memory=64, memoryReservation=32))
    with pytest.raises(ClientError) as raised:
        tasks.run(definition, **members)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"
