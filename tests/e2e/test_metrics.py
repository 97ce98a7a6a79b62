"""`/metrics`, read by Prometheus' own parser, and who may read it."""

import subprocess
import sys
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

import engine
from server import ControlPlane
from tasks import quiet
from test_tls import BRIDGE, port
from wait import wait_until

TOKEN = "0123456789abcdef0123456789abcdef"

# Prints the status and what was answered.
FETCH = """
import ssl, sys, urllib.error, urllib.request
url, *token = sys.argv[1:]
headers = {"Authorization": f"Bearer {it}" for it in token}
direct = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
)
try:
    answer = direct.open(urllib.request.Request(url, headers=headers), timeout=20)
except urllib.error.HTTPError as refused:
    answer = refused
print(answer.status, answer.read().decode())
"""


def read(server, query=""):
    """All samples, by name and labels."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{server.endpoint}/metrics{query}", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    families = list(text_string_to_metric_families(text))
    assert all(it.documentation and it.type != "unknown" for it in families), text
    assert len({it.name for it in families}) == len(families), "each metric is there once"
    samples = [(it.name, frozenset(it.labels.items()), it.value) for family in families for it in family.samples]
    found = {(name, labels): value for name, labels, value in samples}
    assert len(found) == len(samples), "each series is there once"
    return found


def test_what_a_task_reserves_is_shown_while_it_runs(server, tasks):
    [instance] = server.ecs.list_container_instances()["containerInstanceArns"]
    labels = frozenset({"cluster": server.cluster, "container_instance": instance.split("/")[-1]}.items())

    def reserved():
        found = read(server)
        names = ("reserved_cpu_units", "reserved_memory_bytes")
        return [found[f"longshore_container_instance_{it}", labels] for it in names]

    cpu, memory = reserved()
    task = tasks.running(tasks.run_one(tasks.define({**quiet(), "cpu": 64, "memory": 48})))
    assert reserved() == [cpu + 64, memory + 48 * 1024 * 1024]
    found = read(server)
    assert found["longshore_agents_connected", frozenset({("cluster", server.cluster)})] == 1
    called = frozenset({("operation", "RunTask"), ("outcome", "success")})
    assert found["longshore_api_calls_total", called] >= 1
    buckets = {
        float(dict(labels)["le"]): value
        for (name, labels), value in found.items()
        if name == "longshore_api_call_duration_seconds_bucket" and dict(labels)["operation"] == "RunTask"
    }
    counts = [value for _, value in sorted(buckets.items())]
    assert counts == sorted(counts) and counts[-1] >= 1
    assert found["longshore_store_commits_total", frozenset()] >= 1
    read(server, "?tasks=true")
    server.ecs.stop_task(task=task["taskArn"])
    tasks.stopped(task)
    assert reserved() == [cpu, memory]


def test_what_a_task_uses_is_shown_by_instance_and_cluster_beside_what_it_reserves(server, tasks):
    """The numbers are the agent's: of a container that uses a CPU and holds memory."""
    holding = 64 * 1024 * 1024
    [instance] = server.ecs.list_container_instances()["containerInstanceArns"]
    of_cluster = frozenset({("cluster", server.cluster)})
    of_instance = of_cluster | {("container_instance", instance.split("/")[-1])}
    labels = {"longshore_cluster": of_cluster, "longshore_container_instance": of_instance}

    def shown(what):
        found = read(server)
        return [found.get((f"{scope}_{what}", of), 0) for scope, of in labels.items()]

    cpu, memory = shown("reserved_cpu_units"), shown("reserved_memory_bytes")
    busy = {**quiet(command=["busy", "--holding", "64"]), "cpu": 512, "memory": 96}
    task = tasks.running(tasks.run_one(tasks.define(busy)))
    assert shown("reserved_cpu_units") == [it + 512 for it in cpu]
    assert shown("reserved_memory_bytes") == [it + 96 * 1024 * 1024 for it in memory]
    # However busy the machine is, it gets a fiftieth of a CPU.
    wait_until(lambda: min(shown("used_cpu_units")) > 20, 180, "the CPU that is used is shown")
    wait_until(lambda: min(shown("used_memory_bytes")) >= holding, 180, "so is the memory")
    family = task["taskDefinitionArn"].split("/")[-1].split(":")[0]
    its_own = of_cluster | {("family", family), ("task", task["taskArn"].split("/")[-1]), ("container", "main")}
    found = read(server, "?tasks=true")
    assert found["longshore_task_container_used_memory_bytes", its_own] >= holding
    assert found["longshore_task_container_used_cpu_units", its_own] > 20
    server.ecs.stop_task(task=task["taskArn"])
    tasks.stopped(task)
    assert (shown("reserved_cpu_units"), shown("reserved_memory_bytes")) == (cpu, memory)
    wait_until(lambda: max(shown("used_memory_bytes")) < holding, 180, "it is used no more")


@pytest.fixture
def elsewhere():
    """Fetches a URL as another machine would: from a container's network."""
    made = engine.docker("run", "--detach", engine.IMAGE, "sleep", "600").strip()
    process = engine.inspect([made])[0]["State"]["Pid"]

    def fetch(url, *token):
        command = ["nsenter", f"--net=/proc/{process}/ns/net", sys.executable, "-c", FETCH, url, *token]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        status, text = done.stdout.split(" ", 1)
        return int(status), text

    yield fetch
    engine.docker("rm", "--force", made)


def test_other_machines_need_the_token_and_tls(tmp_path, elsewhere):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(TOKEN + "\n")
    gateway = engine.docker(*BRIDGE).strip()
    control_plane = ControlPlane(tmp_path, LONGSHORE_METRICS_TOKEN_FILE=str(file))
    control_plane.listen = f"0.0.0.0:{port(control_plane)}"
    control_plane.start()
    try:
        plain, encrypted = (f"{it}://{gateway}:{port(control_plane)}/metrics" for it in ("http", "https"))
        assert read(control_plane), "from this machine, without a token"
        assert elsewhere(encrypted, TOKEN)[0] == 200
        status, text = elsewhere(encrypted)
        assert status == 401 and "Authorization: Bearer TOKEN" in text
        assert elsewhere(encrypted, "another" * 5)[0] == 401
        status, text = elsewhere(plain, TOKEN)
        assert status == 403 and "https://" in text
    finally:
        control_plane.close()


def test_without_a_token_file_other_machines_are_told_what_to_do(tmp_path, elsewhere):
    gateway = engine.docker(*BRIDGE).strip()
    control_plane = ControlPlane(tmp_path)
    control_plane.listen = f"0.0.0.0:{port(control_plane)}"
    control_plane.start()
    try:
        status, text = elsewhere(f"https://{gateway}:{port(control_plane)}/metrics", TOKEN)
        assert status == 403 and "--metrics-token-file" in text
    finally:
        control_plane.close()
