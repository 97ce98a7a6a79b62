"""`longshore key create`: the variables of an official agent, and what such an agent does with them."""

import base64
import http.client
import json
import os
import pathlib
import ssl
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from server import ControlPlane, free_port, longshore
from tasks import Tasks, quiet
from wait import wait_until

TARGET = "AmazonEC2ContainerServiceV20141113."

# What official agents say, as it was observed.
OBSERVED = pathlib.Path(__file__).resolve().parents[2] / "crates" / "server" / "tests" / "official"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    it = ControlPlane(tmp_path_factory.mktemp("server"))
    it.start()
    yield it
    it.close()


@pytest.fixture
def tasks(server):
    it = Tasks(server)
    yield it
    it.close()


def create(server, *options):
    """A new key's variables, as `docker run --env-file` reads them, and what is said beside them."""
    made = longshore("key", "create", "--data-dir", server.data_dir, *options)
    assert made.returncode == 0, made.stderr
    lines = made.stdout.splitlines()
    assert all(line == line.strip() and "=" in line for line in lines), made.stdout
    variables = dict(line.split("=", 1) for line in lines)
    assert len(variables) == len(lines)
    return variables, made.stderr


class OfficialAgent:
    """Speaks to the server with nothing but its variables, and the authority that it was told of."""

    def __init__(self, variables, ca):
        self.variables = variables
        self.trust = ssl.create_default_context(cadata=ca)
        self.credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])

    def send(self, method, path, body=b"", **headers):
        """The answer of one signed request, and its connection."""
        host = urllib.parse.urlsplit(self.variables["ECS_BACKEND_HOST"])
        request = AWSRequest(method=method, url=host.geturl() + path, data=body, headers=headers)
        SigV4Auth(self.credentials, "ecs", self.variables["AWS_DEFAULT_REGION"]).add_auth(request)
        if host.scheme == "https":
            connection = http.client.HTTPSConnection(host.netloc, timeout=60, context=self.trust)
        else:
            connection = http.client.HTTPConnection(host.netloc, timeout=60)
        connection.request(method, path, body, dict(request.headers.items()))
        return connection.getresponse(), connection

    def call(self, operation, body):
        """Status and JSON of the answer."""
        kind = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + operation}
        answer, connection = self.send("POST", "/", json.dumps(body).encode(), **kind)
        status, text = answer.status, answer.read()
        connection.close()
        return status, json.loads(text)

    def register(self, version, **members):
        with open(OBSERVED / f"{version}.json") as file:
            body = json.load(file)["register"]
        return self.call("RegisterContainerInstance", {**body, "cluster": self.variables["ECS_CLUSTER"], **members})

    def connect(self, instance):
        """Opens the socket on which it is told of tasks."""
        said = {
            "agentHash": "a8b3e7d3", "agentVersion": "1.105.1", "clusterArn": self.variables["ECS_CLUSTER"],
            "containerInstanceArn": instance, "dockerVersion": "DockerVersion: 20.10.24", "protocolVersion": "2",
            "sendCredentials": "true", "seqNum": "1",
        }  # fmt: skip
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        upgrade.update({"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key})
        query = urllib.parse.urlencode(sorted(said.items()), quote_via=urllib.parse.quote)
        return self.send("GET", f"/acs/ws?{query}", **upgrade)


def refused(answer):
    """The error's name, without a namespace, and its message."""
    status, body = answer
    assert status == 400, body
    return body["__type"].rpartition("#")[2], body.get("message", body.get("Message"))


@pytest.mark.parametrize("version", ["1.14.3", "1.40.0", "1.105.1"])
def test_an_official_agent_registers_with_what_is_printed(server, version):
    variables, _ = create(server)
    assert variables["ECS_BACKEND_HOST"] == f"https://{server.listen}"
    assert (variables["ECS_CLUSTER"], variables["AWS_DEFAULT_REGION"]) == ("default", "us-east-1")
    assert (variables["ECS_DATADIR"], variables["ECS_CHECKPOINT"]) == ("/data/", "true")
    assert variables["ECS_EXTERNAL"] == "true"
    assert len(variables) == 8

    agent = OfficialAgent(variables, server.ca())
    status, answer = agent.register(version)
    assert status == 200, answer
    arn = answer["containerInstance"]["containerInstanceArn"]
    assert arn in server.ecs.list_container_instances()["containerInstanceArns"]
    # Its answer was lost: it is the same machine.
    status, again = agent.register(version)
    assert (status, again["containerInstance"]["containerInstanceArn"]) == (200, arn)
    status, found = agent.call("DiscoverPollEndpoint", {"containerInstance": arn, "cluster": "default"})
    assert status == 200 and found["endpoint"].startswith("https://"), found


def test_it_connects_and_is_given_a_task_that_is_run_as_any_other(server, tasks):
    variables, _ = create(server)
    agent = OfficialAgent(variables, server.ca())
    _, answer = agent.register("1.105.1")
    arn = answer["containerInstance"]["containerInstanceArn"]
    answer, connection = agent.connect(arn)
    try:
        assert answer.status == 101, answer.read()

        def connected():
            described = server.ecs.describe_container_instances(containerInstances=[arn])
            return described["containerInstances"][0]["agentConnected"]

        wait_until(connected, 60, "the agent is connected")
        task = tasks.run_one(tasks.define(quiet()))
        assert task["containerInstanceArn"] == arn
        report = {"cluster": "default", "task": task["taskArn"], "status": "STOPPED", "reason": "enough"}
        assert agent.call("SubmitTaskStateChange", report)[0] == 200
        tasks.stopped(task)
    finally:
        answer.close()
        connection.close()


def test_the_key_is_good_for_its_own_container_instance_and_nothing_else(server):
    variables, said = create(server)
    key, secret = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
    assert secret not in said and secret not in server.log_text()
    listed = longshore("key", "list", "--data-dir", server.data_dir).stdout
    assert "UNUSED" in listed.split(key)[1].splitlines()[0] and secret not in listed

    agent, other = OfficialAgent(variables, server.ca()), OfficialAgent(create(server)[0], server.ca())
    arn = agent.register("1.105.1")[1]["containerInstance"]["containerInstanceArn"]
    others = other.register("1.105.1")[1]["containerInstance"]["containerInstanceArn"]
    assert arn != others
    server.ecs.create_cluster(clusterName="other")
    for operation, body in [
        ("ListClusters", {}),
        ("RunTask", {"taskDefinition": "whatever"}),
        ("DeregisterContainerInstance", {"containerInstance": others}),
    ]:
        name, message = refused(agent.call(operation, body))
        assert name == "AccessDeniedException" and key in message, message
    assert refused(agent.register("1.105.1", cluster="other"))[0] == "AccessDeniedException"
    assert refused(agent.register("1.105.1", containerInstanceArn=others))[0] == "AccessDeniedException"
    wrong = OfficialAgent({**variables, "AWS_SECRET_ACCESS_KEY": secret[::-1]}, server.ca())
    assert refused(wrong.register("1.105.1"))[0] == "InvalidSignatureException"

    assert longshore("key", "revoke", key, "--data-dir", server.data_dir).returncode == 0
    name, message = refused(agent.register("1.105.1"))
    assert name == "UnrecognizedClientException" and f"{key} was revoked" in message


def test_where_the_server_is_may_be_said_and_what_to_know_of_it_is(server):
    variables, said = create(server, "--advertise", f"http://{server.listen}")
    assert variables["ECS_BACKEND_HOST"] == f"http://{server.listen}"
    assert "--plain-text" in said
    assert OfficialAgent(variables, server.ca()).register("1.40.0")[0] == 200
    server.ecs.create_cluster(clusterName="mine")
    variables, said = create(server, "--cluster", "mine")
    assert variables["ECS_CLUSTER"] == "mine"
    assert "longshore ca > ca.pem" in said and "/data" in said
    assert OfficialAgent(variables, server.ca()).register("1.14.3")[0] == 200


@pytest.mark.parametrize(
    "options, status, says",
    [
        (["--cluster", "nowhere"], 1, "ClusterNotFoundException"),
        (["--cluster", "no name"], 2, "--cluster"),
        (["--advertise", "10.0.0.1"], 2, "--advertise"),
        (["--advertise"], 2, "--advertise"),
        (["--env-file", "agent.env"], 2, "--env-file"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_makes_no_key(server, options, status, says):
    before = longshore("key", "list", "--data-dir", server.data_dir).stdout
    tried = longshore("key", "create", "--data-dir", server.data_dir, *options)
    assert (tried.returncode, tried.stdout) == (status, ""), tried.stderr
    assert says in tried.stderr
    assert longshore("key", "list", "--data-dir", server.data_dir).stdout == before


def test_a_key_is_made_by_the_administrator_of_a_server_that_runs(server, tmp_path):
    nowhere = longshore("key", "create", "--data-dir", str(tmp_path))
    assert nowhere.returncode == 1 and nowhere.stdout == ""
    assert str(tmp_path) in nowhere.stderr
    address = f"http://127.0.0.1:{free_port()}"
    aws = server.aws_environment()
    away = longshore("key", "create", "--endpoint", address, **aws)
    assert away.returncode == 1 and f"{address}: no answer" in away.stderr
    # A machine's own key makes no others.
    variables, _ = create(server)
    keys = {name: variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    tried = longshore("key", "create", "--endpoint", f"http://{server.listen}", **keys)
    assert (tried.returncode, tried.stdout) == (1, "")
    assert "AccessDeniedException" in tried.stderr


def test_the_help_says_what_it_makes(tmp_path):
    told = longshore("key", "create", "--help").stdout
    for part in ("official Amazon ECS agent", "docker run --env-file", "--cluster", "--advertise", "--data-dir"):
        assert part in told
    assert "revoke" in longshore("key", "--help").stdout
