"""A Docker Engine of a test's own, which may end and come back. No other is touched.

It lives in a network namespace of its own, since an engine that starts changes bridges and
packet filters, also those of another engine. So its containers cannot be reached from here:
they have no network (`networkMode` none), and are spoken to with `docker exec`.
"""

import os
import shutil
import subprocess
import tempfile

import engine
from wait import wait_until


class OwnEngine:
    """A dockerd with its own socket, folders and network namespace."""

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
                    "unshare", "--net",  # and then it is dockerd, of the same process id
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

    def end(self):
        self.process.terminate()
        self.process.wait(60)

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait(60)

    def load_probe(self):
        save = subprocess.Popen(["docker", "save", engine.IMAGE], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", self.host, "load"], stdin=save.stdout, check=True, capture_output=True)
        assert save.wait(60) == 0

    def close(self):
        if self.process.poll() is not None:
            self.start()  # containers may have outlived it
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
