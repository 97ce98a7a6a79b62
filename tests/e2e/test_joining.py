"""A machine joins with a token: real server and real agent, in processes of their own."""

import base64
import json
import os
import signal
import stat
import subprocess

import pytest

from machine import Machine
from server import BINARY, ControlPlane, longshore, nobodys_environment
from tasks import Tasks, quiet
from wait import wait_until


@pytest.fixture
def server(tmp_path):
    it = ControlPlane(tmp_path)
    it.start()
    yield it
    it.close()


@pytest.fixture
def machine(tmp_path):
    """Makes machines: `machine("a")`."""
    made = []

    def make(name):
        made.append(Machine(tmp_path / name))
        return made[-1]

    yield make
    for it in made:
        it.end()


def altered(text, **members):
    """The token with other members, as somebody on the way could make it."""
    encoded = text.removeprefix("lsj1_")
    token = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    changed = json.dumps({**token, **members}).encode()
    return "lsj1_" + base64.urlsafe_b64encode(changed).decode().rstrip("=")


def keys(server):
    """Ids of keys by the id of their instance."""
    listed = longshore("key", "list", "--data-dir", server.data_dir).stdout.splitlines()[1:]
    return {row.split()[3]: row.split()[0] for row in listed}


def test_a_machine_joins_runs_a_task_and_comes_back_without_its_token(server, machine):
    agent = machine("a").join(server.token()).connected()
    tasks = Tasks(server)
    task = tasks.run_until_running(quiet())
    kept = os.path.join(agent.data_dir, "agent", "membership.json")
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    with open(kept) as membership:
        assert json.load(membership)["endpoint"] == f"https://{server.listen}"

    agent.end(signal.SIGKILL)
    agent.start().connected(times=2)
    assert tasks.describe(task)["lastStatus"] == "RUNNING"
    assert len(server.ecs.list_container_instances()["containerInstanceArns"]) == 1
    server.kill()
    server.start()
    wait_until(lambda: tasks.instance()["agentConnected"], 60, "the agent finds the server again")
    tasks.stop(task)
    tasks.stopped(task)


def test_a_revoked_machine_is_cut_off_and_its_task_goes_on(server, machine):
    agent = machine("a").join(server.token()).connected()
    tasks = Tasks(server)
    task = tasks.run_until_running(quiet())
    arn = task["containerInstanceArn"]
    key = keys(server)[arn.split("/")[-1]]
    revoked = longshore("key", "revoke", key, "--data-dir", server.data_dir)
    assert revoked.stdout.startswith(f"revoked {key}\n"), revoked.stderr
    wait_until(lambda: not tasks.instance()["agentConnected"], 5, "the agent is cut off")
    wait_until(lambda: f"{key} was revoked" in agent.text(), 60, "it is told why")
    assert [it["reason"] for it in tasks.refused(tasks.define(quiet()))] == ["AGENT"]
    assert tasks.describe(task)["lastStatus"] == "RUNNING"

    # With a new token it is a machine again, as a new instance.
    agent.end()
    agent.join(server.token()).connected(times=2)
    now = server.ecs.list_container_instances()["containerInstanceArns"]
    assert len(now) == 2 and arn in now
    again = tasks.run(tasks.define(quiet()))[0]
    assert again["containerInstanceArn"] != arn


def test_what_is_wrong_with_a_token_is_said(server, machine):
    data_dir = machine("a").data_dir
    good = server.token()

    def refused(text, *options):
        tried = longshore("agent", "join", text, "--data-dir", data_dir, *options)
        assert tried.returncode != 0
        return tried.stderr

    assert "is damaged: copy it whole" in refused(good[:80])
    assert "is no join token" in refused("abc")
    short = server.token("--expires", "1s")
    wait_until(lambda: "EXPIRED" in longshore("token", "list", "--data-dir", server.data_dir).stdout, 10, "it expires")
    assert "has expired. Make a new one: longshore token create" in refused(short)
    if not os.path.isdir("/run/systemd/system"):
        assert "systemd does not run here" in refused(good, "--systemd")

    elsewhere = altered(good, c="ab" * 32)
    assert "is not shown to be the control plane that made this token" in refused(elsewhere)
    assert "does not accept this token's signature" in refused(altered(good, s="ab" * 32))

    listed = longshore("token", "list", "--data-dir", server.data_dir).stdout.splitlines()
    unused = next(row.split()[0] for row in listed if "USABLE" in row)
    assert longshore("token", "revoke", unused, "--data-dir", server.data_dir).returncode == 0
    assert f"{unused} was revoked" in refused(good)

    server.kill()
    nobody = refused(good)
    assert f"no control plane answers (https://{server.listen}: no answer" in nobody


def test_an_agent_that_has_not_joined_says_what_to_do(tmp_path):
    asked = longshore("agent", "--data-dir", str(tmp_path))
    assert asked.returncode != 0
    assert "longshore agent join" in asked.stderr
