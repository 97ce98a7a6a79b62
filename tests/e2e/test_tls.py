"""TLS: the SDKs, the AWS CLI, an agent on its own, and clients with the official agent's manners."""

import json
import os
import signal
import socket
import ssl
import subprocess

import pytest

import engine
from server import BINARY, ControlPlane, free_port
from tasks import Tasks, container_of, quiet
from wait import wait_until

# Of Docker's bridge: a container is another machine, as far as a listener can tell.
BRIDGE = ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]


@pytest.fixture
def control_plane(tmp_path):
    it = ControlPlane(tmp_path)
    yield it.start()
    it.close()


@pytest.fixture
def agent(tmp_path):
    """Starts `longshore agent` with these arguments; gives a function that reads its log."""
    started = []

    def start(control_plane, *arguments):
        log = tmp_path / f"agent{len(started)}.log"
        aws = control_plane.aws_environment()
        with log.open("wb") as output:
            started.append(
                subprocess.Popen(
                    [BINARY, "agent", "--data-dir", tmp_path / "agent", *arguments],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env={**control_plane.environment(), **aws},
                )
            )  # fmt: skip
        return log.read_text

    yield start
    for it in started:
        it.send_signal(signal.SIGTERM)
        it.wait(40)


@pytest.fixture
def ca_file(server, tmp_path):
    """The certificate of the shared server's authority."""
    return authority(server, tmp_path / "ca.pem")


def authority(server, path):
    path.write_text(server.ca())
    return str(path)


def https(server, host="127.0.0.1"):
    return f"https://{host}:{port(server)}"


def port(server):
    return int(server.listen.rsplit(":", 1)[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_boto3_trusts_the_servers_authority(server, ca_file, host):
    assert server.client(https(server, host), verify=ca_file).list_clusters()["clusterArns"]


def test_boto3_does_not_trust_another(server, control_plane, tmp_path):
    other = server.client(https(server), verify=authority(control_plane, tmp_path / "other.pem"))
    with pytest.raises(Exception, match="(?i)certificate.verify.failed"):
        other.list_clusters()


@pytest.mark.skipif("LONGSHORE_AWS_CLI" not in os.environ, reason="scripts/test names the AWS CLI")
def test_the_aws_cli_trusts_the_servers_authority(server, ca_file):
    environment = {**os.environ, **server.aws_environment(), "AWS_CA_BUNDLE": ca_file}
    command = [os.environ["LONGSHORE_AWS_CLI"], "--endpoint-url", https(server), "ecs", "list-clusters"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert json.loads(answer.stdout)["clusterArns"], answer.stderr


@pytest.mark.parametrize("by", ["fingerprint", "file"])
def test_an_agent_that_trusts_the_authority_runs_a_task(control_plane, agent, tmp_path, by):
    trust = {
        "fingerprint": ("--ca-fingerprint", control_plane.ca("--fingerprint").strip()),
        "file": ("--ca-file", authority(control_plane, tmp_path / "ca.pem")),
    }[by]
    log = agent(control_plane, "--endpoint", https(control_plane), *trust)
    wait_until(lambda: "longshore agent connected" in log(), 60, "the agent is connected")

    ca_file = authority(control_plane, tmp_path / "c")
    control_plane.ecs = control_plane.client(https(control_plane), verify=ca_file)
    tasks = Tasks(control_plane)
    task = tasks.running(tasks.run_one(tasks.define(quiet())))
    assert container_of(task)["lastStatus"] == "RUNNING"
    assert engine.inspect_task(task["taskArn"])["main"]["State"]["Running"]
    tasks.close()


def test_an_agent_with_another_fingerprint_does_not_join(control_plane, agent):
    log = agent(control_plane, "--endpoint", https(control_plane), "--ca-fingerprint", "ab" * 32)
    shown = control_plane.ca("--fingerprint").strip()
    said = f"no certificate authority of the fingerprint {'ab' * 32}; it shows {shown}"
    wait_until(lambda: said in log(), 30, "the agent says whom it met")
    assert control_plane.ecs.list_container_instances()["containerInstanceArns"] == []


def test_an_agent_with_no_word_on_trust_says_what_to_give(control_plane, agent):
    log = agent(control_plane, "--endpoint", https(control_plane))
    wait_until(lambda: "--ca-file or --ca-fingerprint" in log(), 30, "the agent says what is missing")
    assert control_plane.ecs.list_container_instances()["containerInstanceArns"] == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda it: it.name)
@pytest.mark.parametrize("name", ["127.0.0.1:18443", "ecs.example:18443", "other.example", None])
def test_any_server_name_is_taken(server, ca_file, version, name):
    """The official agent sends the host of its URL with the port, which is no name at all."""
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port(server)), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=name) as encrypted:
            assert encrypted.version() == version.name.replace("_", ".")
            encrypted.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: encrypted.recv(4096), b""))
    assert b"MissingAuthenticationTokenException" in answer


def test_the_certificate_names_the_host_with_its_port_as_the_official_agent_asks(server, ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    with socket.create_connection(("127.0.0.1", port(server)), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted:
            names = encrypted.getpeercert()["subjectAltName"]
    assert ("DNS", f"127.0.0.1:{port(server)}") in names
    assert ("IP Address", "127.0.0.1") in names
    assert ("DNS", socket.gethostname().lower()) in names


@pytest.mark.parametrize("options", [(), ("--plain-text",)], ids=["by default", "asked for"])
def test_plain_text_is_for_this_machine_unless_asked_for(tmp_path, options):
    control_plane = ControlPlane(tmp_path)
    control_plane.listen, control_plane.options = f"0.0.0.0:{port(control_plane)}", options
    control_plane.start()
    try:
        assert control_plane.ecs.list_clusters()["clusterArns"], "from this machine"
        gateway = engine.docker(*BRIDGE).strip()
        fetch = ["docker", "run", "--rm", engine.IMAGE, "connect", gateway, str(port(control_plane))]
        answer = subprocess.run(fetch, capture_output=True, text=True).stderr
        said = "MissingAuthenticationTokenException" if options else "start it with --plain-text"
        assert said in answer
    finally:
        control_plane.close()


def test_an_operators_certificate_is_the_one_that_is_shown(server, tmp_path):
    # The file of another server's authority has a certificate and its key.
    own = os.path.join(server.data_dir, "ca.pem")
    control_plane = ControlPlane(tmp_path, LONGSHORE_TLS_CERT=own, LONGSHORE_TLS_KEY=own)
    control_plane.start()
    try:
        shown = ssl.get_server_certificate(("127.0.0.1", port(control_plane)))
        assert "".join(shown.split()) == "".join(server.ca().split())
        told = subprocess.run(
            [BINARY, "ca", "--data-dir", control_plane.data_dir], capture_output=True, text=True
        )
        assert told.returncode != 0
        assert "without --tls-cert" in told.stderr
    finally:
        control_plane.close()


def test_certificates_that_cannot_be_used_are_refused_at_the_start(server, control_plane, tmp_path):
    certificate = os.path.join(server.data_dir, "ca.pem")
    other_key = os.path.join(control_plane.data_dir, "ca.pem")
    exposed = tmp_path / "exposed.pem"
    exposed.write_bytes(open(certificate, "rb").read())
    exposed.chmod(0o644)

    def refused(certificate, key):
        command = [
            BINARY, "server", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", str(tmp_path / "other"),
            "--tls-cert", certificate, "--tls-key", key,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert "longshore ready" not in done.stdout
        return done.stderr

    assert "does not belong to the certificate" in refused(certificate, other_key)
    assert "open to every user of this machine: chmod o= " in refused(certificate, str(exposed))
    assert "cannot be read: No such file" in refused(str(tmp_path / "none.pem"), certificate)
