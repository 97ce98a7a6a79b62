"""Constraints, strategies and requirements, as far as one container instance can show them."""

import pytest
from botocore.exceptions import ClientError

from tasks import quiet

LINUX = {"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}
WINDOWS = {"type": "memberOf", "expression": "attribute:ecs.os-type == windows"}


def test_a_constraint_that_holds_lets_the_task_through(tasks):
    tasks.run_one(tasks.define(quiet()), placementConstraints=[LINUX])
    tasks.run_one(tasks.define(quiet(), placementConstraints=[LINUX]))


def test_a_constraint_that_does_not_hold_is_a_failure(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    detail = "attribute:ecs.os-type == windows is false: ecs.os-type is linux"
    expected = [failure(tasks, arn, "MemberOf placement constraint unsatisfied.", detail)]
    assert tasks.refused(tasks.define(quiet()), placementConstraints=[LINUX, WINDOWS]) == expected
    assert tasks.refused(tasks.define(quiet(), placementConstraints=[WINDOWS])) == expected


def failure(tasks, arn, reason, detail):
    """A failure as this SDK shows it: that of 2017 does not know `detail`."""
    of_sdk = tasks.ecs.meta.service_model.shape_for("Failure").members
    entry = {"arn": arn, "reason": reason, "detail": detail}
    return {name: value for name, value in entry.items() if name in of_sdk}


def test_constraints_of_the_definition_do_not_bind_start_task(tasks):
    arn = tasks.instance()["containerInstanceArn"]
    answer = tasks.start(tasks.define(quiet(), placementConstraints=[WINDOWS]), [arn])
    assert answer["failures"] == []


def test_distinct_instance_lets_one_task_of_a_group_onto_an_instance(tasks):
    distinct = [{"type": "distinctInstance"}]
    definition = tasks.define(quiet())
    answer = tasks.ecs.run_task(taskDefinition=definition, count=2, placementConstraints=distinct)
    tasks.started += [task["taskArn"] for task in answer["tasks"]]
    assert len(answer["tasks"]) == 1
    assert [it["reason"] for it in answer["failures"]] == [
        "DistinctInstance placement constraint unsatisfied."
    ]
    tasks.run_one(definition, placementConstraints=distinct, group="another")


@pytest.mark.parametrize(
    "strategy",
    [
        [{"type": "random"}],
        [{"type": "spread", "field": "instanceId"}],
        [{"type": "spread", "field": "host"}],
        [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        [{"type": "binpack", "field": "memory"}, {"type": "binpack", "field": "CPU"}],
    ],
    ids=str,
)
def test_a_strategy_never_makes_a_placement_fail(tasks, strategy):
    tasks.run_one(tasks.define(quiet()), placementStrategy=strategy)


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_a_task_role_needs_an_agent_that_can_give_it(tasks, server, mode):
    role = f"arn:aws:iam::{server.account}:role/of-the-task"
    definition = tasks.define(quiet(), taskRoleArn=role, networkMode=mode)
    capability = "com.amazonaws.ecs.capability.task-iam-role"
    capability += "-network-host" if mode == "host" else ""
    detail = f"needs {capability}, which the instance lacks"
    arn = tasks.instance()["containerInstanceArn"]
    assert tasks.refused(definition) == [failure(tasks, arn, "ATTRIBUTE", detail)]


def test_a_task_role_by_override_needs_it_too(tasks, server):
    role = f"arn:aws:iam::{server.account}:role/of-the-task"
    (refused,) = tasks.refused(tasks.define(quiet()), overrides={"taskRoleArn": role})
    assert refused["reason"] == "ATTRIBUTE"


def test_a_cluster_without_instances_cannot_run_anything(tasks):
    tasks.ecs.create_cluster(clusterName="empty")
    definition = tasks.define(quiet())
    with pytest.raises(ClientError) as raised:
        tasks.run(definition, cluster="empty")
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert error["Message"] == "No Container Instances were found in your cluster."

    arn = tasks.instance()["containerInstanceArn"]
    short = arn.rpartition("/")[2]
    answer = tasks.start(definition, [short], cluster="empty")
    assert [it["reason"] for it in answer["failures"]] == ["MISSING"]

    task_id = tasks.run_one(definition)["taskArn"].rpartition("/")[2]
    answer = tasks.ecs.describe_tasks(cluster="empty", tasks=[task_id])
    assert [it["reason"] for it in answer["failures"]] == ["MISSING"]
