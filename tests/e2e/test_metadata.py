"""What an agent tells of itself: introspection to its machine, task metadata to its containers."""

import json
import signal
import urllib.error

import pytest

import engine
import metadata
from server import free_port, longshore
from tasks import Tasks, container, fetch, quiet
from wait import wait_until


@pytest.fixture
def agent(new_server):
    """A server whose agent has an introspection port of its own."""
    port = free_port()
    it = new_server(LONGSHORE_INTROSPECTION_PORT=str(port))
    it.introspection = port
    return it


@pytest.fixture
def tasks(agent):
    return Tasks(agent)


def look(server, path, **fields):
    return json.loads(fetch(server.introspection, path, **fields))


def test_introspection_tells_who_the_agent_is(agent, tasks):
    assert look(agent, "/") == {"AvailableCommands": ["/v1/metadata", "/v1/tasks", "/metrics", "/license"]}
    told = look(agent, "/v1/metadata")
    assert told["Version"].startswith("Longshore agent - v")
    assert told == {
        "Cluster": "default",
        "ContainerInstanceArn": tasks.instance()["containerInstanceArn"],
        "Version": told["Version"],
    }
    assert look(agent, "/v1/tasks") == {"Tasks": []}


def test_introspection_tells_of_tasks(agent, tasks):
    task = tasks.run_until_running(container())
    other = tasks.run_until_running(quiet())
    inspected = tasks.inspect(task)
    (binding,) = task["containers"][0]["networkBindings"]
    family, revision = task["taskDefinitionArn"].rsplit("/", 1)[1].split(":")
    told = look(agent, "/v1/tasks", taskarn=task["taskArn"])
    (of_container,) = told["Containers"]
    assert of_container.pop("CreatedAt") and of_container.pop("StartedAt")
    assert told == {
        "Arn": task["taskArn"],
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Family": family,
        "Version": revision,
        "Containers": [
            {
                "DockerId": inspected["Id"],
                "DockerName": inspected["Name"].lstrip("/"),
                "Name": "main",
                "Image": engine.IMAGE,
                "ImageID": inspected["Image"],
                "Ports": [
                    {"ContainerPort": 8080, "Protocol": "tcp", "HostPort": binding["hostPort"]}
                ],
                "Networks": [
                    {
                        "NetworkMode": "bridge",
                        "IPv4Addresses": [inspected["NetworkSettings"]["IPAddress"]],
                    }
                ],
            }
        ],
    }
    assert look(agent, "/v1/tasks", dockerid=inspected["Id"])["Arn"] == task["taskArn"]
    assert {it["Arn"] for it in look(agent, "/v1/tasks")["Tasks"]} == {task["taskArn"], other["taskArn"]}
    for unknown in ({"taskarn": "nobody's"}, {"dockerid": "0" * 64}):
        with pytest.raises(AssertionError, match="404 .*no such task"):
            look(agent, "/v1/tasks", **unknown)

    tasks.stop(task)
    tasks.stopped(task)
    told = look(agent, "/v1/tasks", taskarn=task["taskArn"])
    assert (told["DesiredStatus"], told["KnownStatus"]) == ("STOPPED", "STOPPED")


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_a_container_asks_about_itself_also_after_the_agent_came_back(agent, tasks, mode):
    log = {"logDriver": "json-file", "options": {"max-size": "1m"}}
    definition = tasks.define(quiet(cpu=10, logConfiguration=log), quiet("beside"), networkMode=mode)
    task = tasks.running(tasks.run_one(definition))
    inspected = tasks.inspect(task)
    inside = metadata.Inside(inspected)

    told = inside.ask()
    assert told["DockerId"] == inspected["Id"]
    assert told["Name"] == "main"
    assert told["Limits"] == {"CPU": 10, "Memory": 64}
    assert (told["DesiredStatus"], told["KnownStatus"]) == ("RUNNING", "RUNNING")
    assert told["StartedAt"] == inspected["State"]["StartedAt"]
    assert told["Labels"][engine.TASK_LABEL] == task["taskArn"]
    addresses = {"IPv4Addresses": [inspected["NetworkSettings"]["IPAddress"]]} if mode == "bridge" else {}
    assert told["Networks"] == [{"NetworkMode": mode, **addresses}]

    names = {it["name"]: it["containerArn"] for it in task["containers"]}
    assert told["ContainerARN"] == names["main"]
    assert (told["LogDriver"], told["LogOptions"]) == ("json-file", {"max-size": "1m"})
    assert "ContainerARN" not in inside.ask(version=3)

    of_task = inside.ask("/task")
    assert of_task["TaskARN"] == task["taskArn"]
    assert of_task["LaunchType"] == "EC2" and "LaunchType" not in inside.ask("/task", version=3)
    assert {it["Name"]: it["ContainerARN"] for it in of_task["Containers"]} == names
    assert "LogOptions" not in of_task["Containers"][1]
    assert [it["Name"] for it in of_task["Containers"]] == ["main", "beside"]
    stats = inside.ask("/stats")
    assert stats["id"] == inspected["Id"] and stats["memory_stats"]["usage"] > 0
    assert set(inside.ask("/task/stats")) == {it["DockerId"] for it in of_task["Containers"]}
    assert inside.ask("", version=3)["DockerId"] == inspected["Id"]

    agent.kill()
    agent.start()
    assert inside.ask()["DockerId"] == inspected["Id"]
    again = tasks.running(tasks.run_one(definition))
    assert metadata.Inside(tasks.inspect(again)).ask("/task")["TaskARN"] == again["taskArn"]

    def moved():
        later = inside.ask("/stats")
        return later["read"] > stats["read"] and later["precpu_stats"]["cpu_usage"]["total_usage"] > 0

    wait_until(moved, 40, "the stats move")


def test_a_container_is_known_by_its_address(tasks):
    task = tasks.run_until_running(quiet(), quiet("beside"))
    inside = metadata.Inside(tasks.inspect(task))
    assert inside.get("/v2/metadata")["TaskARN"] == task["taskArn"]
    beside = tasks.inspect(task, "beside")["Id"]
    assert inside.get(f"/v2/metadata/{beside}")["Name"] == "beside"
    assert inside.get(f"/v2/stats/{beside}")["id"] == beside
    assert set(inside.get("/v2/stats")) == {beside, tasks.inspect(task)["Id"]}
    with pytest.raises(metadata.Refused, match="404.*no container with the Docker id"):
        inside.get("/v2/metadata/0123")


def test_nobody_is_told_of_an_unknown_id(tasks):
    task = tasks.run_until_running(quiet())
    inside = metadata.Inside(tasks.inspect(task))
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in (f"/v4/{unknown}", f"/v3/{unknown}/task", f"/v4/{unknown}/stats"):
        with pytest.raises(metadata.Refused, match=f"404.*no container .* {unknown}"):
            inside.get(path)
    for path in ("/", "/v4", "/v5/x", "/v1/tasks", "/metrics"):
        with pytest.raises(metadata.Refused, match="404.*no such path"):
            inside.get(path)


def test_tags_are_told_where_the_control_plane_has_them(agent, tasks):
    task = tasks.run_until_running(quiet())
    inside = metadata.Inside(tasks.inspect(task))
    told = inside.ask("/taskWithTags")
    assert "TaskTags" not in told and "Errors" not in told
    if hasattr(agent.ecs, "tag_resource"):
        agent.ecs.tag_resource(resourceArn=task["taskArn"], tags=[{"key": "team", "value": "docks"}])
        assert inside.ask("/taskWithTags")["TaskTags"] == {"team": "docks"}


def test_without_a_network_there_is_nobody_to_ask(tasks):
    task = tasks.running(tasks.run_one(tasks.define(quiet(), networkMode="none")))
    environment = tasks.inspect(task)["Config"]["Env"]
    assert not [it for it in environment if it.startswith("ECS_CONTAINER_METADATA")]


def test_a_flag_turns_it_off(new_server):
    server = new_server(LONGSHORE_TASK_METADATA="off")
    task = Tasks(server).run_until_running(quiet())
    environment = Tasks(server).inspect(task)["Config"]["Env"]
    assert not [it for it in environment if it.startswith("ECS_CONTAINER_METADATA")]


def test_a_container_that_asks_too_often_is_told_to_wait(tasks):
    """On this machine, to which containers in host mode belong."""
    task = tasks.running(tasks.run_one(tasks.define(quiet(), networkMode="host")))
    inside = metadata.Inside(tasks.inspect(task))
    statuses = [metadata.status(inside.uri(4)) for _ in range(200)]
    assert statuses[:60] == [200] * 60
    assert set(statuses) == {200, 429}
    wait_until(lambda: metadata.status(inside.uri(4)) == 200, 10, "it is answered again")


def test_two_agents_on_one_machine_do_not_disturb_each_other(agent, new_server):
    first = agent
    port = str(first.introspection)
    second = new_server(LONGSHORE_INTROSPECTION_PORT=port)
    of_first, of_second = Tasks(first), Tasks(second)
    warnings = [it for it in second.log_text().splitlines() if "another program has the address" in it]
    assert len(warnings) == 1 and f":{port}" in warnings[0]
    for tasks in (of_first, of_second):
        task = tasks.run_until_running(quiet())
        assert metadata.Inside(tasks.inspect(task)).ask("/task")["TaskARN"] == task["taskArn"]

    def instance_of_introspection():
        try:
            return look(first, "/v1/metadata")["ContainerInstanceArn"]
        except urllib.error.URLError:
            return None

    assert instance_of_introspection() == of_first.instance()["containerInstanceArn"]
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(30)
    expected = of_second.instance()["containerInstanceArn"]
    wait_until(lambda: instance_of_introspection() == expected, 20, "the second agent has the port")
    warnings = [it for it in second.log_text().splitlines() if "another program has the address" in it]
    assert len(warnings) == 1


def test_the_options_are_explained():
    text = longshore("agent", "--help").stdout
    for option in ("--introspection-port", "--task-metadata", "--disable-metrics"):
        assert option in text


def test_metrics_tell_what_runs_and_what_it_uses(agent, tasks):
    task = tasks.run_until_running(quiet(cpu=128))
    labels = 'task="{}",family="{}",revision="{}"'.format(
        task["taskArn"].rsplit("/", 1)[1], *task["taskDefinitionArn"].rsplit("/", 1)[1].split(":")
    )
    of_container = f'{{{labels},container="main"}}'
    latest = {}

    def complete():
        latest.update(samples(fetch(agent.introspection, "/metrics")))
        return f"longshore_container_cpu_percent{of_container}" in latest

    wait_until(complete, 40, "the container was looked at twice")
    instance = tasks.instance()["containerInstanceArn"]
    (told,) = [it for it in latest if it.startswith("longshore_agent_info{")]
    assert f'cluster="default",container_instance="{instance}"' in told
    assert latest["longshore_agent_connected"] == 1
    assert latest["longshore_agent_silence_seconds"] < 60
    assert latest['longshore_agent_tasks{known_status="RUNNING"}'] == 1
    assert latest['longshore_agent_tasks{known_status="STOPPED"}'] == 0
    assert latest['longshore_agent_containers{known_status="RUNNING"}'] == 1
    assert latest[f"longshore_task_reserved_cpu_units{{{labels}}}"] == 128
    assert latest[f"longshore_task_reserved_memory_bytes{{{labels}}}"] == 64 << 20
    assert latest[f"longshore_container_memory_limit_bytes{of_container}"] == 64 << 20
    assert 0 < latest[f"longshore_container_memory_bytes{of_container}"] < 64 << 20
    assert 0 < latest[f"longshore_container_cpu_seconds_total{of_container}"] < 60
    assert f"longshore_container_network_receive_bytes_total{of_container}" in latest
    assert 'longshore_agent_pulls_total{outcome="failed"}' in latest
    assert 'longshore_agent_docker_errors_total{kind="no_answer"}' in latest


def test_without_metrics_nothing_is_looked_at_but_metadata_has_stats(new_server):
    port = free_port()
    server = new_server(LONGSHORE_INTROSPECTION_PORT=str(port), LONGSHORE_DISABLE_METRICS="true")
    tasks = Tasks(server)
    task = tasks.run_until_running(quiet())
    stats = metadata.Inside(tasks.inspect(task)).ask("/stats")
    assert stats["precpu_stats"]["cpu_usage"]["total_usage"] > 0, "Docker was asked"
    latest = samples(fetch(port, "/metrics"))
    assert latest['longshore_agent_tasks{known_status="RUNNING"}'] == 1
    assert not [it for it in latest if it.startswith("longshore_container_memory_bytes")]


def samples(text):
    """Numbers by their names and labels. Each metric has its head, and nothing is there twice."""
    found, heads = {}, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            heads.append(line.split()[2])
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in found and name.split("{")[0] == heads[-1], line
            found[name] = float(value)
    assert len(set(heads)) == len(heads)
    return found
