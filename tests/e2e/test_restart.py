"""Longshore ends, by accident or not, and starts again on the same data."""

import subprocess

import pytest

import engine
from server import Server
from tasks import Tasks, container, container_of, fetch, host_port, quiet


@pytest.fixture
def own(new_server):
    return new_server()


def started_once(tasks, task):
    """The only container of the task, as Docker knows it."""
    (container_id,) = engine.ids_of_task(task["taskArn"])
    inspected = tasks.inspect(task)
    assert inspected["Id"] == container_id
    return container_id, inspected["State"]["StartedAt"], inspected["State"]["Pid"]


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_running_container_is_found_again_and_not_started_twice(own, end):
    tasks = Tasks(own)
    task = tasks.run_until_running(container())
    before = started_once(tasks, task)
    code = getattr(own, end)()
    assert code in (None, 0), own.log_tail()
    assert "limits" in fetch(host_port(task, 8080), "/"), "it runs without us"

    own.start()
    # What is run now shows that the agent is at work; by then it has looked at the old task too.
    tasks.run_until_running(quiet())
    again = tasks.describe(task)
    assert again["lastStatus"] == "RUNNING"
    assert again["version"] == task["version"], "nothing has happened to it"
    assert again["containers"] == task["containers"]
    assert started_once(tasks, task) == before

    tasks.stop(task)
    assert container_of(tasks.stopped(task))["exitCode"] == 143


def test_an_exit_meanwhile_is_told_with_its_code(own):
    tasks = Tasks(own)
    task = tasks.run_until_running(container())
    own.kill()
    fetch(host_port(task, 8080), "/exit", code=7)
    own.start()
    stopped = tasks.stopped(task)
    assert container_of(stopped)["exitCode"] == 7
    assert stopped["stoppedReason"] == "Essential container in task exited"


def test_a_task_that_was_just_placed_is_started_once(own):
    tasks = Tasks(own)
    placed = tasks.run(tasks.define(quiet(cpu=10)), count=5)
    own.kill()
    own.start()
    for task in placed:
        tasks.running(task)
        assert len(engine.ids_of_task(task["taskArn"])) == 1


def test_a_stop_that_was_asked_for_is_carried_out(own):
    tasks = Tasks(own)
    task = tasks.run_until_running(quiet(command=["sleep", "600", "--term-delay", "3"]))
    tasks.stop(task, reason="asked before the crash")
    own.kill()
    own.start()
    stopped = tasks.stopped(task)
    assert stopped["stoppedReason"] == "asked before the crash"
    assert container_of(stopped)["exitCode"] == 143


def lasting(task):
    """All of a task but since when its agent is connected, which a restart changes."""
    return {name: value for name, value in task.items() if name != "connectivityAt"}


def test_what_was_known_is_known_again(own):
    tasks = Tasks(own)
    instance = tasks.instance()
    gone = tasks.run_until_stopped(quiet(command=["exit", "4"]))
    override = {"name": "main", "cpu": 64, "memory": 80, "memoryReservation": 40}
    definition = tasks.define(quiet())
    live = tasks.run_one(definition, overrides={"containerOverrides": [override]}, startedBy="me")
    live = tasks.running(live)
    remaining = tasks.remaining()
    own.kill()
    own.start()
    assert lasting(tasks.describe(gone)) == lasting(gone)
    assert lasting(tasks.describe(live)) == lasting(live)
    assert tasks.instance()["containerInstanceArn"] == instance["containerInstanceArn"]
    assert tasks.instance()["agentConnected"] is True
    assert tasks.remaining() == remaining
    assert tasks.run_one(definition)["taskDefinitionArn"] == live["taskDefinitionArn"]


def test_one_data_directory_serves_one_server(own, tmp_path):
    other = Server(tmp_path)
    other.data_dir = own.data_dir
    done = subprocess.run(other.command(), capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "another" in done.stderr.lower(), done.stderr
    assert Tasks(own).instance()["status"] == "ACTIVE"


def test_an_address_in_use_is_said(own, tmp_path):
    other = Server(tmp_path)
    other.listen = own.listen
    done = subprocess.run(other.command(), capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert own.listen in done.stderr, done.stderr


def test_two_servers_on_one_engine_leave_each_other_alone(server, own):
    one, two = Tasks(server), Tasks(own)
    first = one.run_until_running(container())
    second = two.run_until_running(container())
    own.kill()
    own.start()
    assert one.describe(first)["lastStatus"] == two.running(second)["lastStatus"] == "RUNNING"
    two.stop(second)
    two.stopped(second)
    assert one.page(first)
    one.close()
