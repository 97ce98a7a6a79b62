"""A server that may have few files open: each connection is one."""

import contextlib
import http.client
import os
import resource
import socket

import pytest

from server import ControlPlane
from wait import wait_until

LIMIT = 96


class Limited(ControlPlane):
    """A control plane that may have so many files open: by its soft limit, and by its hard one."""

    limits = (LIMIT, LIMIT)

    def command(self):
        soft, hard = self.limits
        return ["prlimit", f"--nofile={soft}:{hard}", *super().command()]

    def open_files(self):
        return resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)

    def connect(self):
        host, port = self.listen.split(":")
        return http.client.HTTPConnection(host, int(port), timeout=30)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as it:
            fields = it.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def server(tmp_path):
    it = Limited(tmp_path)
    yield it
    it.close()


def status(connection):
    """Of an answer on this connection, which stays open if the server lets it."""
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def new_status(server):
    """Of an answer on a connection of its own; None where there is none."""
    with contextlib.closing(server.connect()) as connection:
        try:
            return status(connection)
        except OSError:
            return None


def is_served(server):
    return new_status(server) not in (503, None)


def test_a_server_may_have_as_many_files_open_as_its_hard_limit_says(server):
    server.limits = (LIMIT, 4 * LIMIT)
    server.start()
    assert server.open_files() == (4 * LIMIT, 4 * LIMIT)


def test_callers_beyond_the_limit_are_told_to_come_later_and_others_are_served_on(server):
    server.start()
    host, port = server.listen.split(":")
    with contextlib.ExitStack() as all_of_it:
        def keep(connection):
            return all_of_it.enter_context(contextlib.closing(connection))

        first = keep(server.connect())
        served = status(first)
        assert served != 503
        for count in range(LIMIT):
            if status(keep(server.connect())) == 503:
                break
        else:
            raise AssertionError("nobody is turned away")
        assert count > LIMIT / 4, "most of them are for callers"
        assert status(first) == served

        # These say nothing, so that nobody can be told anything after a while.
        for _ in range(LIMIT // 2):
            keep(socket.create_connection((host, int(port)), timeout=30))
        before = server.cpu_seconds()
        for _ in range(100):
            assert status(first) == served
        assert server.log_text().count("as many connections are open") == 1, "once"
        assert server.cpu_seconds() - before < 5, "it does not spin"
    wait_until(lambda: is_served(server), 60, "callers are served again")
    assert server.process.poll() is None
    assert server.ecs.list_clusters()["clusterArns"]


def test_a_server_without_a_file_descriptor_for_a_caller_serves_others_and_waits(server):
    server.start()
    with contextlib.closing(server.connect()) as first:
        served = status(first)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (8, LIMIT))
        with contextlib.closing(server.connect()) as caller:
            caller.connect()
            caller.request("GET", "/")
            missed = "a connection could not be accepted"
            wait_until(lambda: missed in server.log_text(), 30, "the log says so")
            before = server.cpu_seconds()
            for _ in range(100):
                assert status(first) == served
            assert server.log_text().count(missed) == 1, "once"
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
            assert caller.getresponse().status == served, "whoever waited is served"
            assert server.cpu_seconds() - before < 5, "it does not spin"
    assert server.ecs.list_clusters()["clusterArns"]
