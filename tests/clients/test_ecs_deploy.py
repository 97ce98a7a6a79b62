"""ecs-deploy: `ecs run` of two tasks with overrides, `ecs update` to another revision."""

import os
import re
import subprocess

import engine
from program import check_container, installed

FAMILY = f"{engine.FAMILY_PREFIX}-ecs-deploy"
CONTAINER = {"name": "main", "image": engine.IMAGE, "memory": 64, "command": ["sleep", "600"]}


def ecs():
    return os.path.join(installed("LONGSHORE_VENV_ECS_DEPLOY"), "bin", "ecs")


def version():
    return subprocess.run([ecs(), "--version"], capture_output=True, text=True).stdout.split()[-1]


def test_run_starts_tasks_with_overrides(server, program):
    server.ecs.register_task_definition(family=FAMILY, containerDefinitions=[CONTAINER])
    said = program.run(
        ecs(), "run", "default", FAMILY, "2",
        "--memory", "main", "32", "--env", "main", "GREETING", "from ecs-deploy",
        "--command", "main", "sleep 300",
    )  # fmt: skip
    assert "Successfully started 2 instances" in said
    arns = re.findall(r"arn:aws:ecs:\S+:task/\S+", said)
    assert len(arns) == 2
    server.ecs.get_waiter("tasks_running").wait(tasks=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    for arn in arns:
        state = check_container(server, arn, greeting="from ecs-deploy", memory_mib=32)
        assert state["startedBy"] == "ECS Deploy"
        assert engine.inspect_task(arn)["main"]["Args"] == ["sleep", "300"]
        server.ecs.stop_task(task=arn)


def test_update_registers_a_revision_and_retires_the_last(server, program):
    family = f"{FAMILY}-update"
    server.ecs.register_task_definition(family=family, containerDefinitions=[CONTAINER])
    program.run(ecs(), "update", family, "--env", "main", "GREETING", "updated")
    newest = server.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert newest["revision"] == 2
    assert newest["containerDefinitions"][0]["environment"] == [{"name": "GREETING", "value": "updated"}]
    last = server.ecs.describe_task_definition(taskDefinition=f"{family}:1")["taskDefinition"]
    assert last["status"] == "INACTIVE"
