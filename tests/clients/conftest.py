"""A server for each client, and the table at the end: which client, what it ran, how it went."""

import pytest

import engine
import server as servers
from program import Program

rows = {}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server of one client: nothing is on it but what this client makes."""
    it = servers.Server(tmp_path_factory.mktemp("server"))
    try:
        yield it.start()
    finally:
        it.close()
        engine.remove_leftovers()


@pytest.fixture(scope="module")
def program(server):
    """Runs the programs of clients, pointed at the server."""
    return Program(server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds up what the tests of each file, which is each client, took and gave."""
    report = yield
    row = rows.setdefault(item.module, {"seconds": 0.0, "result": "passed"})
    row["seconds"] += report.duration
    if report.outcome != "passed":
        row["result"] = report.outcome
    return report


def pytest_terminal_summary(terminalreporter):
    if not rows:
        return
    terminalreporter.section("clients of today")
    lines = [(*described(module), row["result"], f"{row['seconds']:.1f} s") for module, row in rows.items()]
    widths = [max(len(it) for it in column) for column in zip(*lines)]
    for line in lines:
        terminalreporter.line("  ".join(it.ljust(width) for it, width in zip(line, widths)).rstrip())


def described(module):
    """The client, its version, and what it ran: the first line of its file, and its `version()`."""
    client, _, ran = module.__doc__.splitlines()[0].partition(": ")
    try:
        version = module.version()
    except Exception as error:  # The table is shown whatever has failed.
        version = f"({type(error).__name__})"
    return client, version, ran.rstrip(".")
