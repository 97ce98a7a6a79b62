"""Members of definitions that joined after June 2017 and bind the containers of a task together."""

import engine
from tasks import container, container_of, quiet
from test_definition_of_today import described, run


def depends_on(name, condition):
    return [{"containerName": name, "condition": condition}]


def without_limit(definition):
    return {name: value for name, value in definition.items() if name != "memory"}


def test_a_container_waits_for_the_success_of_another(tasks):
    first = quiet("first", essential=False, command=["exit", "0", "--after", "2"])
    task = run(tasks, container(dependsOn=depends_on("first", "SUCCESS")), first)
    assert tasks.inspect(task)["State"]["StartedAt"] > tasks.inspect(task, "first")["State"]["FinishedAt"]
    assert container_of(tasks.describe(task), "first")["exitCode"] == 0
    assert described(tasks, task)["containerDefinitions"][0]["dependsOn"] == depends_on("first", "SUCCESS")


def test_a_failure_of_what_must_succeed_ends_the_task(tasks):
    first = quiet("first", essential=False, command=["exit", "3"])
    task = tasks.run_until_stopped(container(dependsOn=depends_on("first", "SUCCESS")), first)
    assert container_of(task, "first")["exitCode"] == 3
    assert "exitCode" not in container_of(task)


def test_a_container_waits_for_the_health_of_another(tasks):
    check = {"command": ["CMD", "/longshore-probe", "exit", "0"], "interval": 5}
    server = quiet("server", healthCheck=check)
    task = run(tasks, container(dependsOn=depends_on("server", "HEALTHY")), server)
    (first, *_) = tasks.inspect(task, "server")["State"]["Health"]["Log"]
    assert first["ExitCode"] == 0
    assert tasks.inspect(task)["State"]["StartedAt"] > first["End"]


def test_a_container_has_its_own_time_to_stop(tasks):
    task = run(tasks, quiet(command=["ignore-term"], stopTimeout=2))
    tasks.stop(task)
    stopped = tasks.stopped(task)
    assert container_of(stopped)["exitCode"] == 137
    # Without the member it would be 30 seconds.
    assert 2 <= (stopped["stoppedAt"] - stopped["stoppingAt"]).total_seconds() < 20


def test_a_task_is_limited_and_counted_as_a_whole(tasks):
    before = tasks.remaining()
    task = run(tasks, without_limit(container()), without_limit(quiet("side")), cpu="0.25 vCPU", memory="96")
    after = tasks.remaining()
    assert before["CPU"] - after["CPU"] == 256
    assert before["MEMORY"] - after["MEMORY"] == 96
    shown = described(tasks, task)
    assert (shown["cpu"], shown["memory"]) == ("256", "96")

    # One container may use what is there for all of them, and no more.
    hog = without_limit(quiet(command=["hog", "--at-most", "512"]))
    task = tasks.stopped(tasks.run_one(tasks.define(hog, memory="64")))
    assert container_of(task)["exitCode"] == 137


def test_a_shared_volume_of_docker_s_outlives_its_tasks(tasks):
    name = f"ecs-{engine.FAMILY_PREFIX}-shared"
    volume = {
        "name": name,
        "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "labels": {"team": "a"}},
    }
    mounting = container(mountPoints=[{"sourceVolume": name, "containerPath": "/shared"}])
    try:
        task = run(tasks, mounting, volumes=[volume])
        assert tasks.get(task, "/write", path="/shared/file", text="kept") == "written\n"
        label = engine.docker("volume", "inspect", "--format", "{{.Labels.team}}", name)
        assert label.strip() == "a"
        tasks.stop(task)
        tasks.stopped(task)
        task = run(tasks, mounting, volumes=[volume])
        assert tasks.get(task, "/file", path="/shared/file") == "kept"
    finally:
        tasks.close()
        engine.remove_containers_of(f":{tasks.server.account}:")
        engine.remove("volume rm", [name])
