"""The disk on which the Docker Engine keeps its data is full, and then it is not."""

import contextlib
import ctypes
import os
import subprocess
import threading

import pytest

import engine
import registry
from own_engine import OwnEngine
from tasks import Tasks, container_of, quiet

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine")

FULL = "no space left on device"


class SmallEngine(OwnEngine):
    """An engine that has a small disk for its data."""

    def __init__(self):
        super().__init__()
        self.data = f"{self.directory}/data"
        os.mkdir(self.data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", self.data], check=True)

    def fill(self):
        with open(f"{self.data}/filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def empty(self):
        os.remove(f"{self.data}/filler")


@pytest.fixture
def small():
    it = SmallEngine()
    try:
        yield it.start()
    finally:
        it.close()


@pytest.fixture
def image(small):
    """The name of the probe's image in a registry that this engine reaches."""
    inside = ["nsenter", f"--net=/proc/{small.process.pid}/ns/net"]
    subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
    made = []

    def make():
        # Of this thread alone; a socket stays in the namespace in which it was made.
        with open(f"/proc/{small.process.pid}/ns/net") as namespace:
            assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) == 0
        made.append(registry.Registry(engine.IMAGE, "", ""))
        made[0].authorization = None

    maker = threading.Thread(target=make)
    maker.start()
    maker.join()
    yield made[0].image
    made[0].close()


def test_a_full_disk_of_docker_is_told_by_name_and_all_is_well_when_there_is_space(small, image, new_server):
    server = new_server(DOCKER_HOST=small.host)
    tasks = Tasks(server)
    definition = tasks.define(quiet(image=image), networkMode="none")

    small.fill()
    reason = container_of(tasks.stopped(tasks.run_one(definition)))["reason"]
    assert reason.startswith("CannotPullContainerError: ") and FULL in reason, reason

    small.empty()
    runs = tasks.running(tasks.run_one(definition))
    # What it logs has no place any more either.
    talks = quiet(image=image, command=["serve"])
    talks = tasks.running(tasks.run_one(tasks.define(talks, networkMode="none")))

    small.fill()
    for _ in range(2):
        reason = container_of(tasks.stopped(tasks.run_one(definition)))["reason"]
        assert reason.startswith("CannotCreateContainerError: ") and FULL in reason, reason
    for _ in range(20):
        container_id = tasks.inspect(talks)["Id"]
        asked = ["exec", container_id, "/longshore-probe", "connect", "127.0.0.1", "8080", "/"]
        engine.docker(*asked, host=small.host, check=False)
    assert tasks.describe(runs)["lastStatus"] == "RUNNING", "whatever runs goes on"
    assert tasks.describe(talks)["lastStatus"] == "RUNNING", "also what has something to log"
    tasks.stop(talks)
    assert container_of(tasks.stopped(talks))["exitCode"] == 143

    small.empty()
    again = tasks.running(tasks.run_one(definition))
    for task in (runs, again):
        tasks.stop(task)
        assert container_of(tasks.stopped(task))["exitCode"] == 143
