"""A server that is away, a disk that is full, a clock that is wrong: tasks go on, and what happened
is told. Server and agent are processes of their own, on this machine's Docker Engine."""

import datetime
import os
import shutil
import signal
import subprocess

import pytest

import engine
from machine import Machine
from server import ControlPlane
from tasks import Tasks, container_of, quiet
from wait import wait_until


@pytest.fixture
def server(tmp_path):
    it = ControlPlane(tmp_path)
    it.start()
    yield it
    it.close()


@pytest.fixture
def machine(tmp_path, server):
    """An agent that is not started yet, with the server's key."""
    it = Machine(tmp_path / "machine")
    aws = server.aws_environment()
    it.environment = {name: aws[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    it.options = ["--endpoint", server.endpoint, "--region", "us-east-1", "--stop-timeout", "3s"]
    yield it
    it.end()


@pytest.fixture
def tasks(server):
    it = Tasks(server)
    yield it
    it.close()


def states(task):
    """What Docker says of the only container of the task."""
    (found,) = engine.inspect_task(task["taskArn"]).values()
    return found["State"]


def ended(task):
    return states(task)["Status"] == "exited" and states(task)


def instant(of_docker):
    """Python reads six digits of a second, Docker writes nine."""
    return datetime.datetime.fromisoformat(of_docker[:26].rstrip("Z").ljust(26, "0") + "+00:00")


def running(tasks, *commands):
    placed = [tasks.run_one(tasks.define(quiet(memory=8, command=list(it)))) for it in commands]
    return [tasks.running(it) for it in placed]


def test_what_ends_while_the_server_is_away_is_told_with_its_time_when_it_is_back(server, machine, tasks):
    machine.start(*machine.options).connected()
    commands = ("exit", "7", "--after", "3"), ("sleep", "600"), ("sleep", "600", "--term-code", "9")
    early, late, lasting = running(tasks, *commands)
    before = states(lasting)
    server.kill()
    wait_until(lambda: ended(early), 20, "one ends while the agent looks")
    machine.end(signal.SIGKILL)
    engine.docker("kill", "--signal", "TERM", *engine.ids_of_task(late["taskArn"]))
    wait_until(lambda: ended(late), 20, "one ends while nobody looks")
    machine.start(*machine.options)
    wait_until(lambda: machine.text().count("cannot register yet") == 1, 20, "the agent waits")
    seen = {task["taskArn"]: ended(task) for task in (early, late)}
    server.start()
    machine.connected(times=2)

    for task, code in ((early, 7), (late, 143)):
        stopped = tasks.stopped(task)
        assert container_of(stopped)["exitCode"] == code
        assert stopped["stoppedReason"] == "Essential container in task exited"
        finished_at = instant(seen[task["taskArn"]]["FinishedAt"])
        assert abs(stopped["executionStoppedAt"] - finished_at) < datetime.timedelta(milliseconds=50)
        assert stopped["stoppedAt"] > stopped["executionStoppedAt"]
    assert tasks.describe(lasting)["lastStatus"] == "RUNNING"
    assert states(lasting) == before
    assert machine.text().count("reports are not accepted") <= 2, "once for each run of the agent"


@pytest.fixture
def small_disk(machine):
    """The agent's data directory is on a disk of its own, of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    os.mkdir(machine.data_dir)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", machine.data_dir]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine lets nobody mount: {done.stderr.strip()}")
    yield machine.data_dir
    machine.end()
    subprocess.run(["umount", "--lazy", machine.data_dir], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as it:
        try:
            while True:
                it.write(b"x" * 512)
        except OSError:
            pass


def test_a_full_disk_refuses_new_tasks_and_disturbs_no_other(small_disk, machine, tasks):
    machine.start(*machine.options).connected()
    (lasting, stopping) = running(tasks, ("sleep", "600"), ("sleep", "600"))
    before = states(lasting)
    fill(f"{small_disk}/full")

    definition = tasks.define(quiet(memory=8))
    for task in tasks.run(definition, count=3):
        stopped = tasks.stopped(task)
        assert stopped["stopCode"] == "TaskFailedToStart"
        reason = "ResourceInitializationError: the agent's data directory cannot be written: No space left"
        assert stopped["stoppedReason"].startswith(reason), stopped["stoppedReason"]
        assert "exitCode" not in container_of(stopped)
    tasks.stop(stopping)
    assert container_of(tasks.stopped(stopping))["exitCode"] == 143
    assert tasks.instance()["agentConnected"] is True
    assert machine.text().count("data directory cannot be written: tasks that run go on") == 1

    os.remove(f"{small_disk}/full")
    tasks.running(tasks.run_one(definition))
    assert machine.text().count("data directory can be written again") == 1
    assert tasks.describe(lasting)["lastStatus"] == "RUNNING"
    assert states(lasting) == before


@pytest.mark.parametrize("off", ["+1h", "-1h"])
def test_an_agent_whose_clock_is_off_by_an_hour_goes_by_the_servers(server, machine, tasks, off):
    if not shutil.which("faketime"):
        pytest.skip("there is no faketime")
    machine.start(*machine.options, under=["faketime", "-f", off]).connected()
    (task,) = running(tasks, ("exit", "4", "--after", "1"))
    # Its times are no test: the engine, and with it Docker's FinishedAt, has the right clock here.
    assert container_of(tasks.stopped(task))["exitCode"] == 4
    direction = "ahead of" if off == "+1h" else "behind"
    said_by_agent = f"this machine's clock is 1 h 0 min {direction} that of the control plane"
    assert machine.text().count("this machine's clock is") == 1
    assert said_by_agent in machine.text() or "0 h 59 min" in machine.text()
    assert server.log_text().count("its sender's clock is") == 1
    key = machine.environment["AWS_ACCESS_KEY_ID"]
    (line,) = [it for it in server.log_text().splitlines() if "its sender's clock is" in it]
    assert direction in line and key in line


def test_of_two_agents_on_copies_of_one_data_directory_one_stays_connected(tmp_path, server, machine, tasks):
    machine.start(*machine.options).connected()
    other = Machine(tmp_path / "other")
    shutil.copytree(machine.data_dir, other.data_dir)
    other.environment = machine.environment
    two = [machine, other]
    kept_out, contest = "this agent is kept out", "two agents are this container instance"
    connections = "connected to the control plane"
    try:
        other.start(*machine.options)
        wait_until(lambda: any(kept_out in it.text() for it in two), 60, "one is kept out")
        (out,) = [it for it in two if kept_out in it.text()]
        (inside,) = [it for it in two if it is not out]
        assert "Another agent is connected as container instance" in out.text()
        assert "from 127.0.0.1:" in out.text(), "it says which"
        (told,) = [it for it in server.log_text().splitlines() if contest in it]
        assert told.count("127.0.0.1:") == 2, "it names both"
        # It is quiet: whoever is connected stays so, and works.
        tasks.stopped(tasks.run_one(tasks.define(quiet(command=["exit", "0"]))))
        before = [it.text().count(connections) for it in two]
        tasks.stopped(tasks.run_one(tasks.define(quiet(command=["exit", "0"]))))
        assert [it.text().count(connections) for it in two] == before
        assert tasks.instance()["agentConnected"] is True

        inside.end(signal.SIGKILL)
        more = before[two.index(out)]
        wait_until(lambda: out.text().count(connections) > more, 60, "the other one is let in")
        tasks.stopped(tasks.run_one(tasks.define(quiet(command=["exit", "0"]))))
        assert server.log_text().count(contest) == 1 and out.text().count(kept_out) == 1, "once"
    finally:
        other.end()
