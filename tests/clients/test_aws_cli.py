"""AWS CLI: definitions, a task with tags and overrides, waiters, clusters, attributes, settings."""

import json
import subprocess

import pytest

import engine
from program import check_container, installed, tags

FAMILY = f"{engine.FAMILY_PREFIX}-aws-cli"
CONTAINER = {"name": "main", "image": engine.IMAGE, "memory": 64, "command": ["sleep", "600"]}


def version():
    told = subprocess.run([installed("LONGSHORE_AWS_CLI"), "--version"], capture_output=True, text=True)
    return told.stdout.split()[0].removeprefix("aws-cli/")


@pytest.fixture
def aws(program):
    """`aws ecs`, with the JSON that it prints as a value."""

    def call(*arguments):
        printed = program.run(installed("LONGSHORE_AWS_CLI"), "ecs", *arguments, "--output", "json")
        return json.loads(printed) if printed.strip() else None

    return call


def test_a_task_from_its_definition_to_its_end(aws, server):
    registered = aws(
        "register-task-definition", "--family", FAMILY,
        "--requires-compatibilities", "EC2",
        "--container-definitions", json.dumps([CONTAINER]),
        "--tags", "key=team,value=blue",
    )  # fmt: skip
    assert tags(registered["tags"]) == {"team": "blue"}
    overrides = {"memory": 32, "environment": [{"name": "GREETING", "value": "from the CLI"}]}
    answer = aws(
        "run-task", "--task-definition", FAMILY, "--launch-type", "EC2", "--count", "1",
        "--started-by", "aws-cli", "--group", "walk",
        "--overrides", json.dumps({"containerOverrides": [{"name": "main", **overrides}]}),
        "--tags", "key=colour,value=green", "--propagate-tags", "TASK_DEFINITION",
        "--enable-ecs-managed-tags",
    )  # fmt: skip
    assert answer["failures"] == []
    task = answer["tasks"][0]["taskArn"]

    aws("wait", "tasks-running", "--tasks", task)
    check_container(server, task, greeting="from the CLI", memory_mib=32)
    (running,) = aws("describe-tasks", "--tasks", task, "--include", "TAGS")["tasks"]
    assert (running["launchType"], running["group"]) == ("EC2", "walk")
    expected = {"team": "blue", "colour": "green", "aws:ecs:clusterName": "default"}
    assert tags(running["tags"]) == expected
    for wanted in (["--family", FAMILY], ["--started-by", "aws-cli"], ["--launch-type", "EC2"]):
        assert aws("list-tasks", *wanted) == {"taskArns": [task]}
    found = aws("list-container-instances", "--filter", "runningTasksCount == 1")
    assert found == {"containerInstanceArns": [running["containerInstanceArn"]]}

    aws("stop-task", "--task", task, "--reason", "the CLI is done")
    aws("wait", "tasks-stopped", "--tasks", task)
    stopped = check_container(server, task, greeting="from the CLI", memory_mib=32)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "the CLI is done")
    assert aws("list-tasks", "--desired-status", "STOPPED") == {"taskArns": [task]}


def test_the_end_of_a_task_definition(aws):
    family = f"{FAMILY}-retired"
    aws("register-task-definition", "--family", family, "--container-definitions", json.dumps([CONTAINER]))
    assert aws("list-task-definition-families", "--family-prefix", family) == {"families": [family]}
    (arn,) = aws("list-task-definitions", "--family-prefix", family)["taskDefinitionArns"]
    described = aws("describe-task-definition", "--task-definition", family, "--include", "TAGS")
    assert described["taskDefinition"]["taskDefinitionArn"] == arn
    assert described["tags"] == []

    gone = aws("deregister-task-definition", "--task-definition", f"{family}:1")
    assert gone["taskDefinition"]["status"] == "INACTIVE"
    listed = aws("list-task-definitions", "--family-prefix", family, "--status", "INACTIVE")
    assert listed["taskDefinitionArns"] == [arn]
    deleted = aws("delete-task-definitions", "--task-definitions", arn)
    assert deleted["failures"] == []
    assert deleted["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"


def test_a_cluster_and_its_tags(aws):
    made = aws("create-cluster", "--cluster-name", "work", "--tags", "key=team,value=blue")
    arn = made["cluster"]["clusterArn"]
    assert arn in aws("list-clusters")["clusterArns"]
    aws("tag-resource", "--resource-arn", arn, "--tags", "key=colour,value=green")
    aws("untag-resource", "--resource-arn", arn, "--tag-keys", "team")
    assert tags(aws("list-tags-for-resource", "--resource-arn", arn)["tags"]) == {"colour": "green"}
    include = ["--include", "TAGS", "STATISTICS", "SETTINGS"]
    (cluster,) = aws("describe-clusters", "--clusters", "work", *include)["clusters"]
    assert tags(cluster["tags"]) == {"colour": "green"}
    assert {"name": "runningEC2TasksCount", "value": "0"} in cluster["statistics"]
    assert aws("delete-cluster", "--cluster", "work")["cluster"]["status"] == "INACTIVE"
    assert arn not in aws("list-clusters")["clusterArns"]


def test_attributes_of_an_instance(aws, server):
    (instance,) = aws("list-container-instances", "--status", "ACTIVE")["containerInstanceArns"]
    target = f"targetType=container-instance,targetId={instance}"
    aws("put-attributes", "--attributes", f"name=stack,value=test,{target}")
    wanted = ["--target-type", "container-instance", "--attribute-name", "stack", "--attribute-value", "test"]
    (found,) = aws("list-attributes", *wanted)["attributes"]
    assert (found["value"], found["targetId"]) == ("test", instance)
    listed = aws("list-container-instances", "--filter", "attribute:stack == test")
    assert listed["containerInstanceArns"] == [instance]
    aws("delete-attributes", "--attributes", f"name=stack,{target}")
    assert aws("list-attributes", *wanted)["attributes"] == []


def test_account_settings(aws):
    def effective():
        wanted = ["--name", "taskLongArnFormat", "--effective-settings"]
        (found,) = aws("list-account-settings", *wanted)["settings"]
        return found["value"]

    assert effective() == "enabled"
    aws("put-account-setting", "--name", "taskLongArnFormat", "--value", "disabled")
    assert effective() == "disabled"
    aws("delete-account-setting", "--name", "taskLongArnFormat")
    assert effective() == "enabled"
