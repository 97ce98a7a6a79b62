"""DescribeTasks, and the waiters of SDK and command line that stand on it."""

import os
import subprocess

import pytest
from botocore.exceptions import ClientError, WaiterError

from tasks import container_of, quiet

NOBODY = "0123456789abcdef0123456789abcdef"
NOBODY_2017 = "01234567-89ab-4def-8123-456789abcdef"


def test_unknown_tasks_are_failures_beside_the_known(tasks, server):
    task = tasks.run_one(tasks.define(quiet()))
    task_id = task["taskArn"].rpartition("/")[2]
    answer = tasks.ecs.describe_tasks(tasks=[NOBODY, task_id, NOBODY_2017, task["taskArn"]])
    assert [it["taskArn"] for it in answer["tasks"]] == [task["taskArn"]], "once, though named twice"
    assert [it["reason"] for it in answer["failures"]] == ["MISSING", "MISSING"]
    for failure, unknown in zip(answer["failures"], [NOBODY, NOBODY_2017]):
        assert failure["arn"].startswith(server.arn("task/"))
        assert failure["arn"].endswith("/" + unknown.replace("-", ""))


@pytest.mark.parametrize(
    "asked, message",
    [
        ([], "Tasks cannot be empty."),
        ([NOBODY] * 101, "taskIds can have at most 100 items."),
        (["no id at all!"], "Task Identifier is invalid"),
        (["arn:aws:ecs:us-east-1:ACCOUNT:cluster/default"], "Unsupported resource type: cluster"),
        (
            ["arn:aws:ecs:us-east-1:000000000000:task/default/" + NOBODY],
            "Identifier is for 000000000000. Your accountId is ACCOUNT",
        ),
        (
            ["arn:aws:ecs:us-east-1:ACCOUNT:task/other/" + NOBODY],
            "Invalid identifier: Identifier is for cluster other. Your cluster is default",
        ),
    ],
)
def test_bad_identifiers_are_refused(tasks, server, asked, message):
    with pytest.raises(ClientError) as raised:
        tasks.ecs.describe_tasks(tasks=[it.replace("ACCOUNT", server.account) for it in asked])
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert error["Message"].rstrip(".") == message.replace("ACCOUNT", server.account).rstrip(".")


def test_an_unknown_cluster_is_not_found(tasks):
    with pytest.raises(ClientError) as raised:
        tasks.ecs.describe_tasks(cluster="nowhere", tasks=[NOBODY])
    assert raised.value.response["Error"]["Code"] == "ClusterNotFoundException"


def test_the_cluster_is_named_by_name_or_arn_or_not_at_all(tasks, server):
    task = tasks.run_one(tasks.define(quiet()), cluster="default")
    for cluster in ("default", server.arn("cluster/default"), ""):
        answer = tasks.ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])
        assert len(answer["tasks"]) == 1


def test_the_version_rises_with_every_step(tasks):
    task = tasks.run_one(tasks.define(quiet()))
    running = tasks.running(task)
    stopping = tasks.stop(task)
    stopped = tasks.stopped(task)
    versions = [it["version"] for it in (task, running, stopping, stopped)]
    assert versions == sorted(set(versions))


def test_the_waiter_for_running_tasks_is_content(tasks):
    started = tasks.run(tasks.define(quiet()), count=2)
    tasks.ecs.get_waiter("tasks_running").wait(tasks=[it["taskArn"] for it in started])
    assert {tasks.describe(it)["lastStatus"] for it in started} == {"RUNNING"}


def test_the_waiter_for_running_tasks_gives_up_on_missing_and_stopped_ones(tasks):
    waiter = tasks.ecs.get_waiter("tasks_running")
    with pytest.raises(WaiterError):
        waiter.wait(tasks=[NOBODY])
    task = tasks.run_until_stopped(quiet(command=["exit", "1"]))
    with pytest.raises(WaiterError):
        waiter.wait(tasks=[task["taskArn"]])


def test_the_waiter_for_stopped_tasks_is_content(tasks):
    task = tasks.run_until_running(quiet(command=["sleep", "600", "--term-delay", "1"]))
    tasks.stop(task)
    tasks.ecs.get_waiter("tasks_stopped").wait(tasks=[task["taskArn"]])
    assert container_of(tasks.describe(task))["exitCode"] == 143


@pytest.mark.skipif("LONGSHORE_AWS_CLI" not in os.environ, reason="scripts/test names the AWS CLI")
def test_the_aws_command_line_waits_too(tasks, server):
    def begin(*arguments):
        command = [os.environ["LONGSHORE_AWS_CLI"], "ecs", *arguments]
        environment = {**os.environ, **server.aws_environment()}
        return subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def end(process):
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return output

    def aws(*arguments):
        return end(begin(*arguments))

    definition = tasks.define(quiet())
    overrides = '{"containerOverrides":[{"name":"main","cpu":7,"memory":48,"memoryReservation":16}]}'
    arn = aws(
        "run-task", "--task-definition", definition, "--overrides", overrides,
        "--query", "tasks[0].taskArn", "--output", "text",
    ).strip()  # fmt: skip
    tasks.started.append(arn)
    aws("wait", "tasks-running", "--tasks", arn)
    task = tasks.describe({"taskArn": arn})
    assert task["lastStatus"] == "RUNNING"
    assert tasks.inspect(task)["HostConfig"]["CpuShares"] == 7

    waiting = begin("wait", "tasks-stopped", "--tasks", arn)
    aws("stop-task", "--task", arn, "--reason", "from the command line")
    end(waiting)
    assert tasks.describe(task)["stoppedReason"] == "from the command line"
