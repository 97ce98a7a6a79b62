"""boto3: paginators of every list, waiters, idempotent RunTask, tags, typed errors."""

import boto3
import pytest

import engine
from program import check_container, tags

FAMILY = f"{engine.FAMILY_PREFIX}-boto3"
CONTAINER = {"name": "main", "image": engine.IMAGE, "memory": 64, "command": ["sleep", "600"]}
# As often as the API can take it: the default is every 6 s.
OFTEN = {"Delay": 1, "MaxAttempts": 60}


def version():
    return boto3.__version__


@pytest.fixture(scope="module")
def ecs(server, program):
    """A client whose endpoint is in the environment, and in no argument."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in program.environment.items():
            patch.setenv(name, value)
        yield boto3.session.Session().client("ecs")


def register(ecs, family=FAMILY, **members):
    answer = ecs.register_task_definition(family=family, containerDefinitions=[CONTAINER], **members)
    return answer["taskDefinition"]["taskDefinitionArn"]


def test_tasks_and_their_waiters(ecs, server):
    definition = register(ecs)
    override = {"name": "main", "memory": 32, "environment": [{"name": "GREETING", "value": "from boto3"}]}
    answer = ecs.run_task(
        taskDefinition=definition,
        count=2,
        launchType="EC2",
        overrides={"containerOverrides": [override]},
        tags=[{"key": "colour", "value": "green"}],
    )
    assert answer["failures"] == []
    arns = [it["taskArn"] for it in answer["tasks"]]
    ecs.get_waiter("tasks_running").wait(tasks=arns, WaiterConfig=OFTEN)
    pages = ecs.get_paginator("list_tasks").paginate(family=FAMILY, PaginationConfig={"PageSize": 1})
    assert sorted(page["taskArns"] for page in pages if page["taskArns"]) == [[it] for it in sorted(arns)]
    for arn in arns:
        check_container(server, arn, greeting="from boto3", memory_mib=32)
        assert tags(ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == {"colour": "green"}
        ecs.stop_task(task=arn)
    ecs.get_waiter("tasks_stopped").wait(tasks=arns, WaiterConfig=OFTEN)
    for it in ecs.describe_tasks(tasks=arns, include=["TAGS"])["tasks"]:
        assert tags(it["tags"]) == {"colour": "green"}
        assert it["createdAt"] <= it["startedAt"] <= it["stoppingAt"] <= it["stoppedAt"]


def test_a_call_made_again_is_the_same_call(ecs):
    call = {"taskDefinition": register(ecs), "clientToken": "once"}
    (first,) = ecs.run_task(**call)["tasks"]
    (second,) = ecs.run_task(**call)["tasks"]
    assert first["taskArn"] == second["taskArn"]
    with pytest.raises(ecs.exceptions.ConflictException):
        ecs.run_task(**call, group="another")
    ecs.stop_task(task=first["taskArn"])
    ecs.get_waiter("tasks_stopped").wait(tasks=[first["taskArn"]], WaiterConfig=OFTEN)


def test_pages_of_definitions(ecs):
    family = f"{FAMILY}-pages"
    arns = [register(ecs, family) for _ in range(5)]

    def listed(**members):
        pages = ecs.get_paginator("list_task_definitions").paginate(
            familyPrefix=family, PaginationConfig={"PageSize": 2}, **members
        )
        return [page["taskDefinitionArns"] for page in pages if page["taskDefinitionArns"]]

    assert listed() == [arns[0:2], arns[2:4], arns[4:5]]
    assert listed(sort="DESC") == [arns[4:2:-1], arns[2:0:-1], arns[0:1]]
    for arn in arns:
        ecs.deregister_task_definition(taskDefinition=arn)
    assert listed() == []
    assert listed(status="INACTIVE") == [arns[0:2], arns[2:4], arns[4:5]]
    assert ecs.delete_task_definitions(taskDefinitions=arns)["failures"] == []


def test_pages_of_clusters_instances_attributes_and_settings(ecs):
    names = ["one", "two", "three"]
    for name in names:
        ecs.create_cluster(clusterName=name)
    pages = ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    found = {arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"]}
    assert found == {"default", *names}
    for name in names:
        ecs.delete_cluster(cluster=name)

    pages = ecs.get_paginator("list_container_instances").paginate(PaginationConfig={"PageSize": 1})
    (instance,) = [arn for page in pages for arn in page["containerInstanceArns"]]
    attributes = [
        {"name": "rack", "value": value, "targetType": "container-instance", "targetId": instance}
        for value in ("a", "b")
    ]
    ecs.put_attributes(attributes=attributes[:1])
    ecs.put_attributes(attributes=attributes[1:])
    pages = ecs.get_paginator("list_attributes").paginate(
        targetType="container-instance", PaginationConfig={"PageSize": 5}
    )
    found = {it["name"]: it.get("value") for page in pages for it in page["attributes"]}
    assert found["rack"] == "b"
    assert "ecs.os-type" in found

    pages = ecs.get_paginator("list_account_settings").paginate(effectiveSettings=True)
    found = {it["name"]: it["value"] for page in pages for it in page["settings"]}
    assert found["containerInstanceLongArnFormat"] == "enabled"


def test_errors_have_the_types_that_the_sdk_knows(ecs):
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.list_tasks(cluster="elsewhere")
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.run_task(taskDefinition="nothing")
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.run_task(taskDefinition="nothing", launchType="MAINFRAME")
