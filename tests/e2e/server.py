"""A `longshore up` of one's own: control plane and agent on a free port, with its own data."""

import functools
import os
import random
import shlex
import signal
import socket
import subprocess

import boto3

import engine
from wait import wait_until

# Agents of tests that run side by side want nothing that this machine has once, and one that is
# killed leaves no address on an interface.
NO_TRACES = {"LONGSHORE_INTROSPECTION_PORT": "0", "LONGSHORE_TASK_METADATA": "bridge"}

BINARY = os.environ.get("LONGSHORE_BIN", "longshore")


class Server:
    """Runs `longshore up`. Each has an AWS account of its own, by which its containers are known."""

    live = []

    def __init__(self, directory, cluster="default", **settings):
        self.directory = str(directory)
        self.data_dir = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "longshore.log")
        self.cluster = cluster
        self.account = "".join(random.choices("123456789", k=12))
        self.listen = f"127.0.0.1:{free_port()}"
        self.endpoint = f"http://{self.listen}"
        self.settings = settings
        self.process = None

    def start(self):
        """Starts it, or starts it again on the same data; comes back when it is ready."""
        before = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment()
            )
        if self not in Server.live:
            Server.live.append(self)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"longshore up ended with {self.process.returncode}\n{self.log_tail()}")
            return f"longshore ready {self.endpoint}" in self.log_text(before)

        wait_until(ready, 60, "longshore up is ready")
        return self

    def command(self):
        return [
            BINARY, "up",
            "--listen", self.listen,
            "--data-dir", self.data_dir,
            "--cluster", self.cluster,
            "--region", "us-east-1",
            "--account", self.account,
        ]  # fmt: skip

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LONGSHORE_")}
        return {**kept, "NO_COLOR": "1", **NO_TRACES, **self.settings}

    def kill(self):
        """As a crash would: kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def terminate(self):
        """As an operator would. Gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def close(self):
        """Ends it for good and removes its containers."""
        if self.process and self.process.poll() is None:
            self.kill()
        if self in Server.live:
            Server.live.remove(self)
        engine.remove_containers_of(f":{self.account}:", self.settings.get("DOCKER_HOST"))

    def aws_environment(self):
        """What `longshore env` prints, as a dictionary."""
        command = [BINARY, "env", "--data-dir", self.data_dir]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        words = [word for line in lines for word in shlex.split(line) if word != "export"]
        return dict(word.split("=", 1) for word in words)

    @functools.cached_property
    def ecs(self):
        """A client, with what `longshore env` told when it was first asked for."""
        return self.client(self.aws_environment()["AWS_ENDPOINT_URL_ECS"])

    def client(self, url, **options):
        """A client with the server's key that calls it at this URL."""
        aws = self.aws_environment()
        return boto3.session.Session().client(
            "ecs",
            endpoint_url=url,
            region_name=aws["AWS_DEFAULT_REGION"],
            aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
            **options,
        )

    def ca(self, *arguments):
        """What `longshore ca` prints: whom clients are to trust."""
        command = [BINARY, "ca", "--data-dir", self.data_dir, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def arn(self, resource):
        return f"arn:aws:ecs:us-east-1:{self.account}:{resource}"

    def log_text(self, offset=0):
        with open(self.log, "rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def log_tail(self, lines=60):
        return "\n".join(self.log_text().splitlines()[-lines:])


class ControlPlane(Server):
    """`longshore server`: nothing runs until an agent joins it."""

    options = ()

    def command(self):
        return [BINARY, "server", *super().command()[2:], *self.options]

    def token(self, *options):
        """A join token, as its administrator makes it."""
        made = longshore("token", "create", "--data-dir", self.data_dir, *options)
        assert made.returncode == 0, made.stderr
        command = made.stdout.split()
        assert command[:3] == ["longshore", "agent", "join"] and len(command) == 4, made.stdout
        return command[3]


def longshore(*arguments, **variables):
    """The command line, with these variables and nobody else's keys or addresses."""
    environment = {**nobodys_environment(), **variables}
    command = [BINARY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def nobodys_environment():
    """Without keys, or options of this product."""
    dropped = ("LONGSHORE_", "AWS_ACCESS", "AWS_SECRET", "AWS_ENDPOINT")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody uses now.

    Below those that Linux gives to outgoing connections, so that none takes it while its server
    is away.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket(socket.AF_INET, kind) as it:
            try:
                it.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
