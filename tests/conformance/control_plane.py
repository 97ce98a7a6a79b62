"""A `longshore server` of one's own, and calls to it exactly as they are given.

No SDK comes between, for an SDK leaves out what its model does not know.
"""

import http.client
import json
import os
import shlex
import socket
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

BINARY = os.environ.get("LONGSHORE_BIN", "longshore")
TARGET = "AmazonEC2ContainerServiceV20141113."
REGION = "us-east-1"


class ControlPlane:
    def __init__(self, directory):
        self.data_dir = os.path.join(str(directory), "data")
        self.log = os.path.join(str(directory), "longshore.log")

    def __enter__(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LONGSHORE_")}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "server", "--listen", "127.0.0.1:0", "--data-dir", self.data_dir],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=kept, text=True,
            )  # fmt: skip
        ready = self.process.stdout.readline().split()
        assert ready[:2] == ["longshore", "ready"], open(self.log).read()
        self.address = urllib.parse.urlsplit(ready[2]).netloc
        self.credentials = self._credentials()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    def _credentials(self):
        printed = subprocess.run(
            [BINARY, "env", "--data-dir", self.data_dir], check=True, capture_output=True, text=True
        ).stdout
        words = [word for word in shlex.split(printed) if "=" in word]
        aws = dict(word.split("=", 1) for word in words)
        return botocore.credentials.Credentials(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"])

    def signed(self, method, path, body=b"", headers=()):
        """The headers of a signed request."""
        request = botocore.awsrequest.AWSRequest(
            method=method, url=f"http://{self.address}{path}", data=body, headers=dict(headers)
        )
        botocore.auth.SigV4Auth(self.credentials, "ecs", REGION).add_auth(request)
        return dict(request.headers.items())

    def call(self, operation, request):
        """Sends this very JSON. Gives the answer: status, headers, text."""
        body = json.dumps(request).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + operation}
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("POST", "/", body, self.signed("POST", "/", body, headers))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def connect_agent(self, container_instance_arn):
        """Opens an agent's control connection, which lasts until the socket is closed."""
        query = urllib.parse.urlencode(
            {
                "agentHash": "3be1ebd",
                "agentVersion": "1.14.3",
                "clusterArn": "default",
                "containerInstanceArn": container_instance_arn,
                "dockerVersion": "DockerVersion: 1.12.6",
                "sendCredentials": "true",
                "seqNum": "1",
            },
            quote_via=urllib.parse.quote,
        )
        path = f"/acs/ws?{query}"
        headers = {
            "Host": self.address,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            **self.signed("GET", path),
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        host, port = self.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return connection


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        """The exception's name; `None` of a success."""
        return self.json["__type"].rpartition("#")[2] if self.status != 200 else None

    @property
    def message(self):
        return self.json.get("message", self.json.get("Message"))
