"""Programs of clients, unmodified, pointed at a server by their environment alone."""

import os
import shlex
import subprocess

import pytest

import engine

# What a client's slowest program may take here: Airflow starts for long.
PATIENCE = 170


def installed(variable):
    """What scripts/clients has installed, and tells in a variable of this name."""
    found = os.environ.get(variable)
    if not found:
        pytest.fail(f"{variable} is not set: run scripts/clients, which installs every client")
    return found


class Program:
    """Runs programs with what `longshore env` prints for the server, and nothing else of ours."""

    def __init__(self, server):
        self.server = server
        self.environment = {**os.environ, **server.aws_environment()}

    def run(self, *command, **environment):
        """What the program printed. Where it fails, what it said is the failure."""
        done = subprocess.run(
            command,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        said = f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout


def check_container(server, task_arn, *, greeting, memory_mib):
    """The task's container, as Docker itself knows it: it ran, and felt the overrides."""
    (state,) = server.ecs.describe_tasks(tasks=[task_arn])["tasks"]
    container = engine.inspect_task(task_arn)["main"]
    assert container["Id"] == state["containers"][0]["runtimeId"]
    assert f"GREETING={greeting}" in container["Config"]["Env"]
    assert container["HostConfig"]["Memory"] == memory_mib << 20
    if state["lastStatus"] == "STOPPED":
        assert container["State"]["Status"] == "exited"
        assert container["State"]["ExitCode"] == state["containers"][0]["exitCode"]
    else:
        assert container["State"]["Running"]
    return state


def tags(found):
    """Tags as a dictionary."""
    return {it["key"]: it["value"] for it in found}
