"""The control plane's file of roles' credentials: with the real binary and its whole log, the agents
being simulated ones that announce that they can give roles."""

import contextlib
import json
import os
import subprocess

import pytest

from server import BINARY, ControlPlane, longshore, nobodys_environment
from tasks import PATIENCE
from wait import wait_until

ROLE = "arn:aws:iam::123456789012:role/app"
VALUES = ("hunter2", "rotated")


def keys(mark):
    return {"accessKeyId": f"id-{mark}", "secretAccessKey": f"secret-{mark}", "sessionToken": f"token-{mark}"}


@pytest.fixture
def roles_file(tmp_path):
    """Puts a file in the place of the one before, as an operator does."""
    path = tmp_path / "roles.json"

    def write(roles):
        beside = tmp_path / "roles.new"
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(roles))
        beside.rename(path)
        return str(path)

    return write


@contextlib.contextmanager
def agents(server):
    """Two simulated agents, connected."""
    command = [
        BINARY, "bench", "fleet", "--endpoint", server.endpoint, "--instances", "2",
        "--attribute", "com.amazonaws.ecs.capability.task-iam-role",
    ]  # fmt: skip
    environment = {**nobodys_environment(), **server.aws_environment()}
    output = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:

        def connected():
            assert process.poll() is None
            arns = server.ecs.list_container_instances()["containerInstanceArns"]
            if len(arns) < 2:
                return False
            answer = server.ecs.describe_container_instances(containerInstances=arns)
            return all(it["agentConnected"] for it in answer["containerInstances"])

        wait_until(connected, PATIENCE, "the agents are connected")
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def control_plane(tmp_path):
    """Starts a control plane of the test's own, with all of its log."""
    made = []

    def start(**settings):
        made.append(ControlPlane(tmp_path, LONGSHORE_LOG="trace,tungstenite::protocol=trace", **settings))
        return made[-1].start()

    yield start
    for it in made:
        it.close()


def run(server, role, status):
    """A task with this role, once it has this status."""
    ran = server.ecs.run_task(taskDefinition="app", overrides={"taskRoleArn": role})
    (task,) = ran["tasks"]

    def found():
        (found,) = server.ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"]
        return found if found["lastStatus"] == status else None

    return wait_until(found, PATIENCE, f"the task is {status}")


def test_no_value_is_logged_kept_or_answered(control_plane, roles_file):
    server = control_plane(LONGSHORE_ROLE_CREDENTIALS=roles_file({ROLE: keys("hunter2")}))
    container = {"name": "main", "image": "none", "memory": 16}
    server.ecs.register_task_definition(family="app", containerDefinitions=[container])
    with agents(server):
        task = run(server, ROLE, "RUNNING")
        roles_file({ROLE: keys("rotated")})
        told = "telling the agent new credentials of the task's role"
        wait_until(lambda: told in server.log_text(), PATIENCE, "the agent is told")
        missing = run(server, "/team/other", "STOPPED")
        answers = json.dumps([task, missing], default=str)
    assert missing["stoppedReason"] == (
        f"ECS was unable to assume the role 'arn:aws:iam::{server.account}:role/team/other' that was "
        "provided for this task: it is not in the file of --role-credentials"
    )
    snapshot = longshore("snapshot", f"{server.directory}/snapshot", **server.aws_environment())
    assert snapshot.returncode == 0, snapshot.stderr
    assert server.terminate() == 0
    kept = b""
    for directory, _, names in os.walk(server.data_dir):
        for name in names:
            with open(os.path.join(directory, name), "rb") as file:
                kept += file.read()
    with open(f"{server.directory}/snapshot", "rb") as file:
        kept += file.read()
    assert len(kept) > 1000
    for value in VALUES:
        assert value not in answers
        assert value.encode() not in kept
        assert value not in server.log_text()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("{", 0o600, "cannot be used: it is no JSON at line 1, column 1"),
        ('{"app": {}}', 0o600, "'app' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME"),
        (json.dumps({ROLE: {"accessKeyId": "hunter2"}}), 0o600, f"the role {ROLE} has no secretAccessKey"),
        (json.dumps({ROLE: keys("hunter2")}), 0o644, "is open to others than its owner: chmod 600"),
    ],
)  # fmt: skip
def test_a_bad_file_is_said_at_the_start(tmp_path, content, mode, said):
    path = tmp_path / "roles.json"
    path.write_text(content)
    path.chmod(mode)
    data = str(tmp_path / "data")
    ended = longshore("server", "--listen", "127.0.0.1:0", "--data-dir", data, "--role-credentials", str(path))
    assert ended.returncode != 0
    assert said in ended.stderr and str(path) in ended.stderr
    assert "hunter2" not in ended.stderr
