"""StopTask: SIGTERM, patience, SIGKILL; and what is told of it."""

import time

import pytest
from botocore.exceptions import ClientError

from tasks import Tasks, container_of, quiet


def test_stop_tells_the_reason_at_once_and_the_exit_code_at_the_end(tasks):
    task = tasks.run_until_running(quiet(command=["sleep", "600", "--term-code", "9"]))
    answer = tasks.stop(task, reason="enough")
    assert answer["desiredStatus"] == "STOPPED"
    assert answer["lastStatus"] == "RUNNING"
    assert answer["stoppedReason"] == "enough"
    assert "stoppedAt" not in answer
    assert answer["version"] > task["version"]

    stopped = tasks.stopped(task)
    assert stopped["desiredStatus"] == "STOPPED"
    assert stopped["stoppedReason"] == "enough"
    assert stopped["stoppedAt"] >= stopped["startedAt"]
    assert container_of(stopped)["lastStatus"] == "STOPPED"
    assert container_of(stopped)["exitCode"] == 9


def test_without_a_reason_the_user_stopped_it(tasks):
    task = tasks.run_until_running(quiet())
    tasks.stop(task)
    stopped = tasks.stopped(task)
    assert stopped["stoppedReason"] == "Task stopped by user"
    assert container_of(stopped)["exitCode"] == 143


def test_the_container_gets_sigterm_and_time_to_act_on_it(tasks, tmp_path):
    definition = tasks.define(
        quiet(
            command=["sleep", "600", "--mark", "/marks/term", "--term-delay", "2", "--term-code", "0"],
            mountPoints=[{"sourceVolume": "marks", "containerPath": "/marks"}],
        ),
        volumes=[{"name": "marks", "host": {"sourcePath": str(tmp_path)}}],
    )
    task = tasks.running(tasks.run_one(definition))
    tasks.stop(task)
    assert container_of(tasks.stopped(task))["exitCode"] == 0
    assert (tmp_path / "term").read_text() == "terminated\n"


def test_what_ignores_sigterm_is_killed_after_the_stop_timeout(new_server):
    tasks = Tasks(new_server(LONGSHORE_STOP_TIMEOUT="3s"))
    task = tasks.run_until_running(quiet(command=["ignore-term"]))
    asked = time.monotonic()
    tasks.stop(task)
    stopped = tasks.stopped(task)
    assert 2.5 <= time.monotonic() - asked < 20
    assert container_of(stopped)["exitCode"] == 137
    assert stopped["stoppedReason"] == "Task stopped by user"


def test_a_slow_stop_holds_nobody_else_up(tasks):
    slow = tasks.run_until_running(quiet(command=["sleep", "600", "--term-delay", "9"]))
    asked = time.monotonic()
    tasks.stop(slow)
    other = tasks.run_until_running(quiet())
    tasks.stop(other)
    tasks.stopped(other)
    assert tasks.describe(slow)["lastStatus"] == "RUNNING", (
        f"the slow one had 9 s, and {time.monotonic() - asked:.0f} have passed"
    )
    tasks.stopped(slow)


def test_containers_of_a_task_are_stopped_together(tasks):
    slow = ["sleep", "600", "--term-delay", "3"]
    task = tasks.run_until_running(quiet("one", command=slow), quiet("two", command=slow))
    asked = time.monotonic()
    tasks.stop(task)
    tasks.stopped(task)
    assert time.monotonic() - asked < 6


def test_a_task_may_be_stopped_before_it_runs(tasks):
    task = tasks.run_one(tasks.define(quiet()))
    tasks.stop(task, reason="second thoughts")
    stopped = tasks.stopped(task)
    assert stopped["stoppedReason"] == "second thoughts"
    assert stopped["lastStatus"] == "STOPPED"
    assert tasks.ecs.list_tasks(family=task["group"].partition(":")[2])["taskArns"] == []


def test_stopping_again_changes_nothing(tasks):
    task = tasks.run_until_running(quiet())
    first = tasks.stop(task, reason="first")
    second = tasks.stop(task, reason="second")
    assert second["stoppedReason"] == first["stoppedReason"] == "first"
    stopped = tasks.stopped(task)
    assert tasks.stop(task, reason="third") == stopped


def test_a_task_is_named_by_arn_or_id(tasks):
    task = tasks.run_until_running(quiet())
    tasks.ecs.stop_task(task=task["taskArn"].rpartition("/")[2])
    tasks.stopped(task)


@pytest.mark.parametrize(
    "task, message",
    [
        ("0123456789abcdef0123456789abcdef", "The referenced task was not found."),
        ("01234567-89ab-4def-8123-456789abcdef", "The referenced task was not found."),
        ("no id at all!", "Task Identifier is invalid"),
        ("", "Task can not be blank."),
    ],
)
def test_what_cannot_be_stopped_is_refused(tasks, task, message):
    with pytest.raises(ClientError) as raised:
        tasks.ecs.stop_task(task=task)
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert error["Message"].rstrip(".") == message.rstrip(".")


def test_a_reason_may_not_be_longer_than_255(tasks):
    task = tasks.run_one(tasks.define(quiet()))
    with pytest.raises(ClientError) as raised:
        tasks.stop(task, reason="x" * 256)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"
    assert tasks.stop(task, reason="x" * 255)["stoppedReason"] == "x" * 255
