"""Asking for task metadata from inside a container."""

import json
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlsplit

NAMES = {3: "ECS_CONTAINER_METADATA_URI", 4: "ECS_CONTAINER_METADATA_URI_V4"}


class Refused(Exception):
    """The agent's answer, with its status."""


class Inside:
    """A running container of the probe, given as `docker inspect` shows it."""

    def __init__(self, inspected, host=None):
        self.id = inspected["Id"]
        self.environment = dict(it.split("=", 1) for it in inspected["Config"]["Env"])
        self.host = host

    def uri(self, version):
        return self.environment[NAMES[version]]

    def ask(self, path="", version=4):
        """What is below the URI in the container's environment."""
        return self.get(urlsplit(self.uri(version)).path + path)

    def get(self, path):
        at = urlsplit(self.uri(4))
        command = ["docker", *(["--host", self.host] if self.host else []), "exec", self.id]
        command += ["/longshore-probe", "connect", at.hostname, str(at.port or 80), path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise Refused(done.stderr.replace("\r\n", " ").replace("\n", " "))
        return json.loads(done.stdout)


def status(uri):
    """Asked from this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(uri, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code
