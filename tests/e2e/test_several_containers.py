"""Tasks of several containers: essential or not, links, volumes, order."""

import pytest

from tasks import Tasks, container, container_of, quiet
from wait import wait_until
import engine


def test_the_end_of_an_essential_container_ends_the_others(tasks):
    task = tasks.run_until_stopped(
        quiet("leader", command=["exit", "3", "--after", "2"]), quiet("follower", essential=False)
    )
    assert task["stoppedReason"] == "Essential container in task exited"
    assert container_of(task, "leader")["exitCode"] == 3
    assert container_of(task, "follower")["exitCode"] == 143
    assert "startedAt" in task


def test_the_end_of_a_non_essential_container_changes_nothing_else(tasks):
    task = tasks.run_until_running(
        container("main"), quiet("helper", command=["exit", "5", "--after", "2"], essential=False)
    )

    def helper_stopped():
        state = tasks.describe(task)
        return container_of(state, "helper")["lastStatus"] == "STOPPED" and state

    state = wait_until(helper_stopped, 30, "the helper has ended")
    assert container_of(state, "helper")["exitCode"] == 5
    assert state["lastStatus"] == state["desiredStatus"] == "RUNNING"
    assert container_of(state, "main")["lastStatus"] == "RUNNING"
    assert state["version"] > task["version"]
    assert tasks.page(state)


def test_a_task_runs_only_when_each_of_its_containers_has_started(tasks):
    task = tasks.run_until_running(*[quiet(f"c{number}", memory=16) for number in range(5)])
    assert {it["lastStatus"] for it in task["containers"]} == {"RUNNING"}
    assert [it["name"] for it in task["containers"]] == [f"c{number}" for number in range(5)]
    tasks.stop(task)
    assert {it["exitCode"] for it in tasks.stopped(task)["containers"]} == {143}


def test_links_reach_the_other_container_by_name_and_by_alias(tasks):
    task = tasks.run_until_running(
        container("web", links=["db:database", "cache"]),
        container("db", hostname="the-database"),
        container("cache", hostname="the-cache", portMappings=[]),
    )
    answer = tasks.get(task, "/connect", "web", host="database", port=8080)
    assert '"the-database"' in answer
    answer = tasks.get(task, "/connect", "web", host="cache", port=8080)
    assert '"the-cache"' in answer


def test_what_is_linked_to_starts_first(tasks):
    task = tasks.run_until_running(
        quiet("first", links=["second"]), quiet("second", links=["third"]), quiet("third")
    )
    assert sorted(["first", "second", "third"], key=lambda name: started_at(tasks, task, name)) == [
        "third",
        "second",
        "first",
    ]


def started_at(tasks, task, name):
    """Docker's stamp in a form that sorts: it leaves out zeros at the end of the fraction."""
    second, _, fraction = tasks.inspect(task, name)["State"]["StartedAt"].rstrip("Z").partition(".")
    return second, fraction.ljust(9, "0")


def test_an_empty_volume_is_shared_by_the_containers_of_a_task(tasks):
    mount = {"sourceVolume": "shared", "containerPath": "/shared"}
    definition = tasks.define(
        container("writer", mountPoints=[mount]),
        container("reader", mountPoints=[{**mount, "readOnly": True}]),
        volumes=[{"name": "shared", "host": {}}],
    )
    one = tasks.running(tasks.run_one(definition))
    tasks.get(one, "/write", "writer", path="/shared/note", text="hello")
    assert tasks.get(one, "/file", "reader", path="/shared/note") == "hello"
    with pytest.raises(AssertionError, match="(?i)read-only"):
        tasks.get(one, "/write", "reader", path="/shared/note", text="changed")

    two = tasks.running(tasks.run_one(definition))
    with pytest.raises(AssertionError, match="(?i)no such file"):
        tasks.get(two, "/file", "reader", path="/shared/note")


def test_a_host_volume_is_a_folder_of_the_host(tasks, tmp_path):
    (tmp_path / "greeting").write_text("from the host")
    read_write = {"sourceVolume": "folder", "containerPath": "/here"}
    definition = tasks.define(
        container("one", mountPoints=[read_write]),
        container("two", mountPoints=[{**read_write, "containerPath": "/there", "readOnly": True}]),
        volumes=[{"name": "folder", "host": {"sourcePath": str(tmp_path)}}],
    )
    task = tasks.running(tasks.run_one(definition))
    assert tasks.get(task, "/file", "two", path="/there/greeting") == "from the host"
    tasks.get(task, "/write", "one", path="/here/answer", text="from the container")
    assert (tmp_path / "answer").read_text() == "from the container"
    with pytest.raises(AssertionError, match="(?i)read-only"):
        tasks.get(task, "/write", "two", path="/there/answer", text="changed")


def test_a_missing_host_folder_is_made(tasks, tmp_path):
    folder = tmp_path / "made" / "by docker"
    definition = tasks.define(
        container(mountPoints=[{"sourceVolume": "folder", "containerPath": "/here"}]),
        volumes=[{"name": "folder", "host": {"sourcePath": str(folder)}}],
    )
    task = tasks.running(tasks.run_one(definition))
    tasks.get(task, "/write", path="/here/note", text="x")
    assert (folder / "note").read_text() == "x"


def test_volumes_from_another_container(tasks):
    definition = tasks.define(
        container("borrower", volumesFrom=[{"sourceContainer": "owner"}]),
        container("onlooker", volumesFrom=[{"sourceContainer": "owner", "readOnly": True}]),
        quiet("owner", mountPoints=[{"sourceVolume": "v", "containerPath": "/owned"}]),
        volumes=[{"name": "v", "host": {}}],
    )
    task = tasks.running(tasks.run_one(definition))
    tasks.get(task, "/write", "borrower", path="/owned/note", text="borrowed")
    assert tasks.get(task, "/file", "onlooker", path="/owned/note") == "borrowed"
    with pytest.raises(AssertionError, match="(?i)read-only"):
        tasks.get(task, "/write", "onlooker", path="/owned/note", text="changed")


def test_a_stopped_task_is_cleared_away_after_the_wait(new_server):
    """Containers and empty volumes go; what is known of the task stays."""
    tasks = Tasks(new_server(LONGSHORE_TASK_CLEANUP_WAIT="1s"))
    definition = tasks.define(
        quiet(mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}]),
        quiet("other"),
        volumes=[{"name": "v", "host": {}}],
    )
    family = definition.split(":")[0]
    task = tasks.running(tasks.run_one(definition))
    tasks.stop(task)
    tasks.stopped(task)

    def cleared():
        volumes = [it for it in engine.docker("volume", "ls", "--quiet").split() if family in it]
        return not engine.ids_of_task(task["taskArn"]) and not volumes

    wait_until(cleared, 30, "containers and volumes are gone")
    assert container_of(tasks.describe(task))["exitCode"] == 143
