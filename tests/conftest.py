"""Fixtures: one server for the session, others on demand, and the tasks of each test."""

import os
import shutil
import signal

import botocore.session
import pytest

import engine
import server as servers
from tasks import Tasks

# The tests speak to this machine only, with the keys that each server makes.
os.environ.update(NO_PROXY="*", no_proxy="*", AWS_CONFIG_FILE=os.devnull)
os.environ.update(AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true")
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)

# What is in files of this name, the SDK of 2017 refuses to send, or does not show.
ecs_model = botocore.session.get_session().get_service_model("ecs")
if "healthCheck" not in ecs_model.shape_for("ContainerDefinition").members:
    collect_ignore_glob = ["e2e/*_of_today.py"]


def pytest_sessionstart():
    # To be asked to end is to be interrupted: servers and containers are cleared away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not shutil.which(servers.BINARY):
        pytest.exit(f"there is no {servers.BINARY}: set LONGSHORE_BIN, or use scripts/test", 2)


def pytest_report_header():
    return f"botocore {botocore.__version__}, {servers.BINARY}"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share."""
    it = servers.Server(tmp_path_factory.mktemp("server"))
    try:
        yield it.start()
    finally:
        it.close()
        engine.remove_leftovers()


@pytest.fixture
def tasks(server):
    """Tasks on the shared server."""
    it = Tasks(server)
    yield it
    it.close()


@pytest.fixture
def new_server(tmp_path):
    """Starts servers of the test's own: `new_server(LONGSHORE_STOP_TIMEOUT="3s")`."""
    made = []

    def make(**settings):
        directory = tmp_path / f"server{len(made)}"
        directory.mkdir()
        made.append(servers.Server(directory, **settings))
        return made[-1].start()

    yield make
    for it in made:
        it.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of each live server's log to the report of a failure."""
    report = yield
    if report.failed:
        for it in servers.Server.live:
            report.sections.append((f"log of {it.endpoint}", it.log_tail()))
    return report
