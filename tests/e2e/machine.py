"""A machine's agent: `longshore agent` in a process of its own."""

import os
import signal
import subprocess

from server import BINARY, nobodys_environment
from wait import wait_until


class Machine:
    """`longshore agent` on a data directory of its own."""

    def __init__(self, directory):
        self.data_dir = str(directory / "data")
        self.log = str(directory / "agent.log")
        directory.mkdir(parents=True)
        self.process = None
        self.environment = {}

    def start(self, *arguments, under=()):
        """Starts it, under another program if need be."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*under, BINARY, "agent", *arguments, "--data-dir", self.data_dir],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**nobodys_environment(), **self.environment}, start_new_session=True,
            )  # fmt: skip
        return self

    def join(self, token):
        return self.start("join", token)

    def connected(self, times=1):
        wait_until(lambda: self.text().count("longshore agent connected") == times, 60, "the agent is connected")
        return self

    def text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            # The program that it is under may have made another process of it.
            os.killpg(self.process.pid, how)
            self.process.wait(20)
