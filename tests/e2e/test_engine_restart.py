"""The Docker Engine ends and comes back. Only ever an engine of our own: no other is touched."""

import os
import shutil
import signal
import subprocess
import tempfile

import pytest

import engine
from server import free_port
from tasks import Tasks, container, container_of, fetch
from wait import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine")


class OwnEngine:
    """A dockerd with its own socket and folders, and without networks: its containers use the host's."""

    def __init__(self, *options):
        # A short path: the engine makes sockets below it.
        self.directory = tempfile.mkdtemp(prefix="dkr", dir="/tmp")
        self.host = f"unix://{self.directory}/s"
        self.options = options
        self.process = None

    def start(self):
        with open(f"{self.directory}/log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd",
                    "--config-file", self.empty_configuration(),
                    "--host", self.host,
                    "--data-root", f"{self.directory}/data",
                    "--exec-root", f"{self.directory}/exec",
                    "--pidfile", f"{self.directory}/pid",
                    "--bridge", "none",
                    "--iptables=false",
                    "--ip-masq=false",
                    "--shutdown-timeout", "5",
                    *self.options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        def answers():
            assert self.process.poll() is None, f"dockerd ended:\n{self.log_tail()}"
            return engine.docker("version", "--format", "{{.Server.Version}}", host=self.host, check=False).strip()

        wait_until(answers, 60, "the engine answers")
        return self

    def empty_configuration(self):
        """Else the engine would read that of the machine."""
        path = f"{self.directory}/daemon.json"
        with open(path, "w") as it:
            it.write("{}")
        return path

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(60)

    def load_probe(self):
        save = subprocess.Popen(["docker", "save", engine.IMAGE], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", self.host, "load"], stdin=save.stdout, check=True, capture_output=True)
        assert save.wait(60) == 0

    def close(self):
        if self.process.poll() is None:
            containers = engine.docker("ps", "--all", "--quiet", host=self.host, check=False).split()
            if containers:
                engine.docker("rm", "--force", *containers, host=self.host, check=False)
            self.end()
        with open("/proc/self/mounts") as mounts:
            below = [line.split()[1] for line in mounts if line.split()[1].startswith(self.directory)]
        for mount in reversed(below):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self):
        with open(f"{self.directory}/log", errors="replace") as log:
            return "".join(log.readlines()[-20:])


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


def on_host_network(port):
    return container(command=["serve", "--port", str(port)], portMappings=[{"containerPort": port}])


def run_on(tasks, port):
    definition = tasks.define(on_host_network(port), networkMode="host")
    task = tasks.running(tasks.run_one(definition))
    assert "limits" in fetch(port, "/")
    return task


def test_containers_that_went_down_with_the_engine_are_told_and_work_goes_on(own_engine, new_server):
    it = own_engine()
    tasks = Tasks(new_server(DOCKER_HOST=it.host))
    task = run_on(tasks, free_port())

    it.end()
    assert tasks.describe(task)["taskArn"] == task["taskArn"], "the API answers without an engine"
    it.start()

    stopped = tasks.stopped(task)
    assert container_of(stopped)["exitCode"] in (137, 143)
    assert stopped["stoppedReason"] == "Essential container in task exited"
    again = run_on(tasks, free_port())
    tasks.stop(again)
    assert container_of(tasks.stopped(again))["exitCode"] == 143


def test_containers_that_outlive_the_engine_go_on(own_engine, new_server):
    it = own_engine("--live-restore")
    tasks = Tasks(new_server(DOCKER_HOST=it.host))
    port = free_port()
    task = run_on(tasks, port)
    before = engine.ids_of_task(task["taskArn"], it.host)

    it.end()
    assert "limits" in fetch(port, "/"), "the container runs without its engine"
    it.start()

    run_on(tasks, free_port())
    assert tasks.describe(task)["lastStatus"] == "RUNNING"
    assert engine.ids_of_task(task["taskArn"], it.host) == before
    assert "limits" in fetch(port, "/")

    fetch(port, "/exit", code=6)
    assert container_of(tasks.stopped(task))["exitCode"] == 6


def test_a_task_that_is_run_without_an_engine_does_not_hang(own_engine, new_server):
    it = own_engine()
    tasks = Tasks(new_server(DOCKER_HOST=it.host))
    run_on(tasks, free_port())
    it.end(signal.SIGKILL)
    definition = tasks.define(on_host_network(free_port()), networkMode="host")
    answer = tasks.ecs.run_task(taskDefinition=definition)
    tasks.started += [task["taskArn"] for task in answer["tasks"]]
    it.start()
    # Placed or refused, started late or told as failed: all are answers; PENDING for ever is none.
    for task in answer["tasks"]:
        wait_until(lambda: tasks.describe(task)["lastStatus"] != "PENDING", 120, "it is not PENDING")
    run_on(tasks, free_port())
