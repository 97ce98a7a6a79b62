"""Containers that fail: each ends STOPPED, with a reason; none hangs PENDING."""

import socket

from server import free_port
from tasks import Tasks, container, container_of, quiet
import engine

NOWHERE = "127.0.0.1:1"


def test_a_container_that_ends_stops_its_task(tasks):
    for code in (0, 7):
        task = tasks.run_until_stopped(quiet(command=["exit", str(code)]))
        assert task["stoppedReason"] == "Essential container in task exited"
        assert container_of(task)["exitCode"] == code
        assert container_of(task)["lastStatus"] == "STOPPED"
        assert task["stoppedAt"] >= task["createdAt"]


def test_a_running_container_that_ends_is_noticed(tasks):
    task = tasks.run_until_running(container())
    tasks.get(task, "/exit", code=42)
    stopped = tasks.stopped(task)
    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert container_of(stopped)["exitCode"] == 42


def run_out_of_memory(run):
    """Runs tasks that are killed for their memory until one says so: on a busy machine Docker 20.10
    itself does not hear of one in twelve such ends."""
    for _ in range(5):
        task = run()
        assert container_of(task)["exitCode"] == 137
        assert task["stoppedReason"] == "Essential container in task exited"
        reason = container_of(task).get("reason")
        if reason is not None:
            break
    assert reason == "OutOfMemoryError: Container killed due to memory usage"


def test_a_container_that_takes_too_much_memory_is_killed_and_says_so(tasks):
    for members in ({"command": ["hog"]}, {"command": ["hog"], "memoryReservation": 16}):
        definition = quiet(**{"memory": 32, **members})
        run_out_of_memory(lambda: tasks.run_until_stopped(definition))


def test_an_overridden_memory_limit_is_what_kills(tasks):
    definition = tasks.define(container(memory=2048))
    overrides = {"containerOverrides": [{"name": "main", "memory": 32}]}

    def run():
        task = tasks.running(tasks.run_one(definition, overrides=overrides))
        tasks.get(task, "/hog")
        return tasks.stopped(task)

    run_out_of_memory(run)


def test_a_program_that_does_not_exist_cannot_be_started(tasks):
    task = tasks.run_until_stopped(quiet(entryPoint=["/no/such/program"]))
    found = container_of(task)
    assert found["lastStatus"] == "STOPPED"
    assert found["reason"].startswith("CannotStartContainerError: ")
    assert "no such file" in found["reason"]
    assert len(found["reason"]) <= 255
    assert "exitCode" not in found
    assert "startedAt" not in task
    assert task["stoppedReason"]


def test_an_image_that_cannot_be_had_cannot_be_pulled(tasks):
    task = tasks.run_until_stopped(quiet(image=f"{NOWHERE}/nobody/nothing:1"))
    found = container_of(task)
    assert found["reason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in found
    assert "startedAt" not in task


def test_an_image_name_that_docker_does_not_understand_fails_too(tasks):
    task = tasks.run_until_stopped(quiet(image="UPPER:/:x"))
    assert container_of(task)["reason"]
    assert "exitCode" not in container_of(task)


def test_a_host_port_that_a_stranger_uses_is_a_reason(tasks):
    with socket.socket() as stranger:
        stranger.bind(("0.0.0.0", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        task = tasks.run_until_stopped(
            container(portMappings=[{"containerPort": 8080, "hostPort": port}])
        )
    found = container_of(task)
    assert found["reason"].startswith("CannotStartContainerError: ")
    assert "exitCode" not in found
    again = tasks.run_until_running(container(portMappings=[{"containerPort": 8080, "hostPort": port}]))
    assert tasks.page(again), "the port is free again, for Longshore as well"


def test_what_failed_gives_its_resources_back(tasks):
    before = tasks.remaining()
    port = free_port()
    mapping = [{"containerPort": 1, "hostPort": port}]
    tasks.run_until_stopped(quiet(entryPoint=["/none"], cpu=100, portMappings=mapping))
    tasks.run_until_stopped(quiet(image=f"{NOWHERE}/none", cpu=100, portMappings=mapping))
    assert tasks.remaining() == before


def test_one_container_that_cannot_start_stops_the_others(tasks):
    task = tasks.run_until_stopped(quiet("good"), quiet("bad", entryPoint=["/none"]))
    assert container_of(task, "bad")["reason"].startswith("CannotStartContainerError: ")
    assert container_of(task, "good")["lastStatus"] == "STOPPED"


def test_an_image_that_is_here_needs_no_registry_unless_it_is_told_to(new_server):
    """The behaviours `prefer-cached` (default), `default` and `always`."""
    image = f"{NOWHERE}/{engine.FAMILY_PREFIX}/probe:here"
    engine.docker("tag", engine.IMAGE, image)
    try:
        for behaviour in ("prefer-cached", "default"):
            tasks = Tasks(new_server(LONGSHORE_IMAGE_PULL_BEHAVIOR=behaviour))
            tasks.run_until_running(quiet(image=image))
            tasks.close()
        tasks = Tasks(new_server(LONGSHORE_IMAGE_PULL_BEHAVIOR="always"))
        task = tasks.run_until_stopped(quiet(image=image))
        assert container_of(task)["reason"].startswith("CannotPullContainerError: ")
    finally:
        engine.docker("rmi", image)
