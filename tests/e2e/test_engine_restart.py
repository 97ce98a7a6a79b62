"""The Docker Engine ends and comes back. Only ever an engine of our own: no other is touched."""

import json
import os

import pytest

import engine
from own_engine import OwnEngine
from tasks import Tasks, container_of, quiet
from test_wire import Raw
from wait import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine")


@pytest.fixture
def own_engine():
    made = []

    def make(*options):
        it = OwnEngine(*options)
        made.append(it)
        it.start()
        it.load_probe()
        return it

    yield make
    for it in made:
        it.close()


def run_on(it, tasks):
    """A RUNNING task on that engine, of which the container answers."""
    definition = tasks.define(quiet(command=["serve"]), networkMode="none")
    task = tasks.running(tasks.run_one(definition))
    assert "limits" in json.loads(ask(it, tasks, task, "/"))
    return task


def ask(it, tasks, task, path):
    """What the probe answers, as seen from its own container."""
    return wait_until(lambda: ask_once(it, tasks, task, path), 10, "the probe answers")


def ask_once(it, tasks, task, path):
    container_id = tasks.inspect(task)["Id"]
    arguments = ["exec", container_id, "/longshore-probe", "connect", "127.0.0.1", "8080", path]
    return engine.docker(*arguments, host=it.host, check=False)


def test_containers_that_went_down_with_the_engine_are_told_and_work_goes_on(own_engine, new_server):
    it = own_engine()
    tasks = Tasks(new_server(DOCKER_HOST=it.host))
    task = run_on(it, tasks)

    it.end()
    assert tasks.describe(task)["taskArn"] == task["taskArn"], "the API answers without an engine"
    it.start()

    stopped = tasks.stopped(task)
    assert container_of(stopped)["exitCode"] in (137, 143)
    assert stopped["stoppedReason"] == "Essential container in task exited"
    again = run_on(it, tasks)
    tasks.stop(again)
    assert container_of(tasks.stopped(again))["exitCode"] == 143


def test_containers_that_outlive_the_engine_go_on(own_engine, new_server):
    it = own_engine("--live-restore")
    tasks = Tasks(new_server(DOCKER_HOST=it.host))
    task = run_on(it, tasks)
    before = tasks.inspect(task)

    it.end()
    os.kill(before["State"]["Pid"], 0)  # the container runs without its engine
    it.start()

    run_on(it, tasks)
    assert tasks.describe(task)["lastStatus"] == "RUNNING"
    after = tasks.inspect(task)
    assert (after["Id"], after["State"]["Pid"]) == (before["Id"], before["State"]["Pid"])

    ask_once(it, tasks, task, "/exit?code=6")  # the end of the container may swallow the answer
    assert container_of(tasks.stopped(task))["exitCode"] == 6


def test_a_task_that_is_run_without_an_engine_does_not_hang(own_engine, new_server):
    it = own_engine()
    server = new_server(DOCKER_HOST=it.host)
    tasks = Tasks(server)
    task = run_on(it, tasks)
    run_on(it, tasks)
    it.end()
    missed = "the Docker Engine does not answer"
    wait_until(lambda: missed in server.log_text(), 20, "it is missed")
    assert tasks.instance()["agentConnected"] is True, "the agent is there"
    answer = tasks.ecs.run_task(taskDefinition=task["taskDefinitionArn"], count=3)
    it.start()
    # Placed or refused, started late or told as failed: all are answers; PENDING for ever is none.
    for placed in answer["tasks"]:
        wait_until(lambda: tasks.describe(placed)["lastStatus"] != "PENDING", 120, "it is not PENDING")
    run_on(it, tasks)
    assert server.log_text().count(missed) == 1, "once, and not for each that waits"
    assert server.log_text().count("the Docker Engine answers again") == 1


def health(server):
    """What the instance says of itself: in all, and of the program that runs its containers."""
    (arn,) = server.ecs.list_container_instances()["containerInstanceArns"]
    asked = {"containerInstances": [arn], "include": ["CONTAINER_INSTANCE_HEALTH"]}
    status, _, answer = Raw(server).call("DescribeContainerInstances", asked)
    assert status == 200, answer
    (instance,) = json.loads(answer)["containerInstances"]
    told = instance["healthStatus"]
    of_runtime = [it["status"] for it in told.get("details", []) if it["type"] == "CONTAINER_RUNTIME"]
    return told["overallStatus"], of_runtime


@pytest.mark.parametrize("options", [(), ("--live-restore",)], ids=["plain", "live-restore"])
def test_an_engine_that_stays_away_is_told_of_and_all_is_well_when_it_is_back(own_engine, new_server, options):
    it = own_engine(*options)
    server = new_server(DOCKER_HOST=it.host)
    tasks = Tasks(server)
    task = run_on(it, tasks)
    before = tasks.inspect(task)["State"]["Pid"]
    wait_until(lambda: health(server) == ("OK", ["OK"]), 90, "it is well")

    it.kill()
    wait_until(lambda: health(server) == ("IMPAIRED", ["IMPAIRED"]), 90, "its engine is missed")
    assert tasks.instance()["agentConnected"] is True, "the agent is there"
    assert tasks.describe(task)["lastStatus"] == "RUNNING", "nobody has said anything else"
    os.kill(before, 0)
    # As ECS does; it waits until there is an engine, for as long as Docker's time limits say.
    waiting = tasks.run_one(task["taskDefinitionArn"])
    stopping = tasks.run_one(task["taskDefinitionArn"])
    tasks.stop(stopping)

    it.start()
    tasks.running(waiting)
    tasks.stopped(stopping)
    if options:
        assert tasks.describe(task)["lastStatus"] == "RUNNING"
        assert tasks.inspect(task)["State"]["Pid"] == before, "it went on"
    else:
        stopped = tasks.stopped(task)
        assert stopped["stoppedReason"] == "Essential container in task exited"
        assert container_of(stopped)["exitCode"] is not None
    wait_until(lambda: health(server) == ("OK", ["OK"]), 90, "it is well again")
    assert server.log_text().count("the Docker Engine does not answer") == 1, "once"
    assert server.log_text().count("the Docker Engine answers again") == 1
