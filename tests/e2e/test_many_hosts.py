"""Three hosts in two zones: a and b in zone one, c in zone two. Hosts that are slow, cut off, lost
and restarted, with real engines and containers. Agents reach the control plane by TLS."""

import threading
import time

import pytest
from botocore.exceptions import BotoCoreError

import engine
import hosts
import metadata
from fleet import Fleet, attributes
from tasks import PATIENCE, Tasks, container, container_of, quiet
from test_wire import Raw
from wait import wait_until

ZONES = {"a": "one", "b": "one", "c": "two"}
BY_ZONE = [
    {"type": "spread", "field": "attribute:ecs.availability-zone"},
    {"type": "spread", "field": "instanceId"},
]
BY_HOST = [{"type": "spread", "field": "instanceId"}]

# Where ECS has task metadata for containers.
ADDRESS = "169.254.170.2"

# From silence to agentConnected false; and what a busy machine may add to it.
SILENCE, BUSY = 10, 3


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    reason = hosts.why_not()
    if reason:
        pytest.skip(f"no hosts can be made of this machine: {reason}")
    it = Fleet(tmp_path_factory.mktemp("fleet"), ZONES)
    try:
        yield it.start()
    finally:
        it.close()
    traces = it.network.traces()
    assert not any(traces.values()), f"something is left: {traces}"


@pytest.fixture
def tasks(fleet):
    """Tasks on that fleet. When the test ends all hosts are as they were, and empty."""
    it = Tasks(fleet.control_plane)
    yield it
    for host in fleet.hosts.values():
        host.heal()
    fleet.await_connected(ZONES)
    it.close()
    assert not fleet.containers()


def small(**members):
    return quiet(memory=8, **members)


def test_hosts_are_what_they_are(fleet, tasks):
    found = fleet.instances()
    assert {letter: attributes(it)["ecs.availability-zone"] for letter, it in found.items()} == ZONES
    assert len({it["containerInstanceArn"] for it in found.values()}) == 3
    (task,) = tasks.start(tasks.define(small()), [fleet.arn("b")])["tasks"]
    tasks.running(task)
    assert list(fleet.hosts["b"].containers()) == [task["taskArn"]]
    assert not fleet.hosts["a"].containers() and not fleet.hosts["c"].containers()
    assert not engine.ids_of_task(task["taskArn"]), "nor has this machine's own engine any"


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_containers_ask_at_ecs_s_address_also_of_an_agent_that_was_killed(fleet, tasks, mode):
    host = fleet.hosts["a"]
    definition = tasks.define(small(), networkMode=mode)
    (task,) = tasks.start(definition, [fleet.arn("a")])["tasks"]
    tasks.running(task)
    (inspected,) = engine.inspect(engine.ids_of_task(task["taskArn"], host.host), host.host)
    inside = metadata.Inside(inspected, host.host)
    assert inside.uri(4).startswith("http://169.254.170.2/v4/")
    assert inside.ask("/task")["TaskARN"] == task["taskArn"]

    host.kill_agent()
    assert ADDRESS in host.addresses(), "nobody took it off the interface"
    fleet.start_agent(host)
    fleet.await_connected(ZONES)
    assert inside.ask("/task")["TaskARN"] == task["taskArn"]
    assert "another" not in host.agent_text()

    host.agent.terminate()
    host.agent.wait(10)
    assert ADDRESS not in host.addresses()
    fleet.start_agent(host)
    fleet.await_connected(ZONES)
    assert inside.ask("/task")["TaskARN"] == task["taskArn"]


def test_tasks_are_spread_over_zones_and_then_over_their_hosts(fleet, tasks):
    placed = tasks.run(tasks.define(small()), count=8, placementStrategy=BY_ZONE)
    for task in placed:
        tasks.running(task)
    there = {letter: len(host.containers()) for letter, host in fleet.hosts.items()}
    assert there == {"a": 2, "b": 2, "c": 4}
    fleet.await_agreement()


def test_tasks_are_packed_onto_one_host(fleet, tasks):
    strategy = [{"type": "binpack", "field": "memory"}]
    (first,) = tasks.start(tasks.define(small()), [fleet.arn("b")])["tasks"]
    placed = tasks.run(tasks.define(small()), count=4, placementStrategy=strategy)
    for task in [first, *placed]:
        tasks.running(task)
    there = {letter: len(host.containers()) for letter, host in fleet.hosts.items()}
    assert there == {"a": 0, "b": 5, "c": 0}


def elsewhere_meanwhile(fleet, tasks):
    """Tasks run on the other hosts and stop, as if nothing were."""
    for task in tasks.start(tasks.define(small()), [fleet.arn("a"), fleet.arn("b")])["tasks"]:
        tasks.running(task)
        tasks.stop(task)
        tasks.stopped(task)


def test_a_host_that_has_hardly_any_cpu_runs_its_tasks_and_holds_nobody_up(fleet, tasks):
    host = fleet.hosts["c"]
    before = len(host.agent_text())
    host.starve()
    try:
        starved_since = time.monotonic()
        started = [tasks.start(tasks.define(small()), [fleet.arn("c")])["tasks"][0] for _ in range(3)]
        elsewhere_meanwhile(fleet, tasks)
        elsewhere = time.monotonic() - starved_since
        for task in started:
            tasks.running(task)
        print(f"elsewhere after {elsewhere:.1f} s, here after {time.monotonic() - starved_since:.1f} s")

        def long_enough():
            assert fleet.is_connected("c")
            return time.monotonic() - starved_since > SILENCE + 2

        wait_until(long_enough, 60, "a host that is cut off would have been missed")
        for task in started:
            tasks.stop(task)
            tasks.stopped(task)
        assert "disconnected" not in host.agent_text()[before:]
    finally:
        host.not_starved()
    fleet.await_agreement()


def test_a_slow_host_is_no_lost_one(fleet, tasks):
    host = fleet.hosts["c"]
    before = len(host.agent_text())
    host.slow()
    try:
        slow_since = time.monotonic()
        (task,) = tasks.start(tasks.define(small()), [fleet.arn("c")])["tasks"]
        elsewhere_meanwhile(fleet, tasks)
        tasks.running(task)

        def long_enough():
            assert fleet.is_connected("c")
            return time.monotonic() - slow_since > SILENCE + 2

        wait_until(long_enough, 60, "a host that is cut off would have been missed")
        tasks.stop(task)
        tasks.stopped(task)
        assert "disconnected" not in host.agent_text()[before:]
    finally:
        host.not_slow()


def test_a_host_that_is_cut_off_goes_on_and_agrees_when_it_is_back(fleet, tasks):
    for _ in range(3):
        tasks.start(tasks.define(small()), [fleet.arn("a")])
    ended, stopped, lasting = [tasks.running({"taskArn": arn}) for arn in tasks.started]
    before = fleet.hosts["a"].containers()

    fleet.hosts["a"].cut()
    cut_at = time.monotonic()
    wait_until(lambda: not fleet.is_connected("a"), SILENCE + BUSY, "the agent is missed")
    print(f"missed after {time.monotonic() - cut_at:.1f} s")
    assert all(fleet.is_connected(it) for it in "bc")

    assert fleet.hosts["a"].containers() == before, "its containers go on"
    assert all(tasks.describe(it)["lastStatus"] == "RUNNING" for it in (ended, stopped, lasting))
    elsewhere = tasks.run(tasks.define(small()), count=4, placementStrategy=BY_HOST)
    assert sorted(fleet.host_of(tasks.running(it)) for it in elsewhere) == ["b", "b", "c", "c"]
    refused = tasks.start(tasks.define(small()), [fleet.arn("a")])
    assert [it["reason"] for it in refused["failures"]] == ["AGENT"]
    assert tasks.stop(stopped)["desiredStatus"] == "STOPPED"
    engine.docker("kill", *before[ended["taskArn"]], host=fleet.hosts["a"].host)
    assert tasks.describe(stopped)["lastStatus"] == "RUNNING", "nobody knows of its end"
    assert stopped["taskArn"] in fleet.hosts["a"].containers()

    fleet.hosts["a"].heal()
    healed_at = time.monotonic()
    fleet.await_connected("a")
    connected_at = time.monotonic()
    assert container_of(tasks.stopped(stopped))["exitCode"] == 143
    assert container_of(tasks.stopped(ended))["exitCode"] == 137
    agreed_at = time.monotonic()
    print(f"back after {connected_at - healed_at:.1f} s, agreed {agreed_at - connected_at:.1f} s later")
    assert tasks.describe(lasting)["lastStatus"] == "RUNNING"
    assert fleet.hosts["a"].containers()[lasting["taskArn"]] == before[lasting["taskArn"]]
    fleet.await_agreement()


def tag_cluster(fleet, policy):
    """As a client of any age may: that of 2017 has no call for it."""
    it = fleet.control_plane
    name = it.ecs.describe_clusters()["clusters"][0]["clusterArn"]
    tags = [{"key": "longshore:lost-after", "value": policy}]
    status, _, text = Raw(it).call("TagResource", {"resourceArn": name, "tags": tags})
    assert status == 200, text


def test_tasks_of_a_host_that_stays_away_are_lost_and_stop_there_before_anything_starts(fleet, tasks):
    ports = [{"containerPort": 8080, "hostPort": 18080}]
    definition = tasks.define(container(memory=16, portMappings=ports))
    (old,) = tasks.start(definition, [fleet.arn("a")])["tasks"]
    # It ignores SIGTERM, so that its stop takes a while.
    stubborn = tasks.define(small(command=["ignore-term"]))
    (slow,) = tasks.start(stubborn, [fleet.arn("a")])["tasks"]
    tasks.running(old), tasks.running(slow)
    host = fleet.hosts["a"]
    before = host.containers()

    tag_cluster(fleet, "10s")
    try:
        host.cut()
        cut_at = time.monotonic()
        lost = tasks.stopped(old)
        print(f"lost after {time.monotonic() - cut_at:.1f} s")
        assert lost["stoppedReason"].startswith("Lost: container instance"), lost["stoppedReason"]
        assert "longer than 10s (longshore:lost-after of the cluster)" in lost["stoppedReason"]
        assert "exitCode" not in container_of(lost)
        assert host.containers() == before, "nobody can reach it: its containers go on"
        replacement = tasks.run_one(definition)
        assert fleet.host_of(tasks.running(replacement)) in "bc"
        tasks.stopped(slow)

        host.heal()
        fleet.await_connected("a")
        # It fits beside the old ones, and waits for its start.
        (beside,) = tasks.start(tasks.define(small()), [fleet.arn("a")])["tasks"]
        taken = tasks.start(definition, [fleet.arn("a")])
        # The port is the old task's until the host has said that this is over.
        waiting = taken["tasks"] or wait_until(
            lambda: tasks.start(definition, [fleet.arn("a")])["tasks"], PATIENCE, "the port is free"
        )
        tasks.running(waiting[0]), tasks.running(beside)
        ended = {it["Id"]: it for ids in before.values() for it in engine.inspect(ids, host.host)}
        there = host.containers()
        new = [engine.inspect(there[it["taskArn"]], host.host)[0] for it in (waiting[0], beside)]
        assert all(not it["State"]["Running"] for it in ended.values())
        last = max(it["State"]["FinishedAt"] for it in ended.values())
        assert last < min(it["State"]["StartedAt"] for it in new)
        codes = {container_of(tasks.describe(it)).get("exitCode") for it in (old, slow)}
        assert codes <= {137, 143}, codes
        assert tasks.describe(old)["stoppedReason"] == lost["stoppedReason"]
        assert tasks.describe(old)["lastStatus"] == "STOPPED"
        fleet.await_agreement()
    finally:
        tag_cluster(fleet, "never")


def test_a_lost_host_keeps_its_tasks_until_it_tells_of_their_end(fleet, tasks):
    placed = tasks.run(tasks.define(small()), count=3, placementStrategy=BY_HOST)
    on = {fleet.host_of(tasks.running(it)): it for it in placed}
    instance = fleet.arn("c")
    host = fleet.hosts["c"]

    host.lose()
    wait_until(lambda: not fleet.is_connected("c"), SILENCE + BUSY, "the host is missed")
    assert tasks.describe(on["c"])["lastStatus"] == "RUNNING", "nobody knows of its end"
    again = tasks.run(tasks.define(small()), count=2, placementStrategy=BY_ZONE)
    assert {fleet.host_of(tasks.running(it)) for it in again} == {"a", "b"}

    host.start_engine()
    host.heal()
    host.await_engine()
    fleet.start_agent(host)
    fleet.await_connected("c")
    assert fleet.arn("c") == instance, "it is the same container instance"
    assert container_of(tasks.stopped(on["c"]))["exitCode"] is not None
    (there,) = tasks.start(tasks.define(small()), [instance])["tasks"]
    tasks.running(there)
    fleet.await_agreement()


class Load(threading.Thread):
    """Calls RunTask, and StopTask for every third task, whenever it is let go on, until there is
    enough: so there are calls at every step of the test, and a bounded number of them."""

    def __init__(self, ecs, definition):
        super().__init__()
        self.ecs, self.definition = ecs, definition
        self.run_tasks = []
        self.allowed = 0
        self.refused, self.unanswered, self.error = [], 0, None
        self.stopping, self.stopped = [], []  # asked for, and answered
        self.enough = threading.Event()

    def await_more(self):
        """Waits for three more tasks, while two more are still to come."""
        enough = len(self.run_tasks) + 3
        self.allowed = enough + 2

        def more():
            assert self.is_alive(), self.error
            return len(self.run_tasks) >= enough

        wait_until(more, PATIENCE, "more tasks are placed")

    def run(self):
        while not self.enough.wait(0.2):
            if len(self.run_tasks) >= self.allowed:
                continue
            try:
                self.call()
            except BotoCoreError:  # the control plane is away; what it answers is another error
                self.unanswered += 1
            except Exception as error:
                self.error = error
                return

    def call(self):
        answer = self.ecs.run_task(taskDefinition=self.definition, placementStrategy=BY_HOST)
        self.refused += [it["reason"] for it in answer["failures"]]
        self.run_tasks += [it["taskArn"] for it in answer["tasks"]]
        if len(self.run_tasks) % 3 == 0:
            task = next((it for it in self.run_tasks[1::3] if it not in self.stopping), None)
            if task:
                self.stopping.append(task)
                self.ecs.stop_task(task=task)
                self.stopped.append(task)


def test_a_rolling_restart_under_load_disturbs_no_container(fleet, tasks):
    before = tasks.run(tasks.define(small()), count=6, placementStrategy=BY_HOST)
    for task in before:
        tasks.running(task)
    containers = processes(fleet, before)
    load = Load(fleet.client(), tasks.define(small()))
    load.start()
    try:
        for host in fleet.hosts.values():
            load.await_more()
            host.kill_agent()
            fleet.start_agent(host)
            load.await_more()
            fleet.await_connected(ZONES)
        for end in (fleet.control_plane.terminate, fleet.control_plane.kill):
            load.await_more()
            end()
            fleet.control_plane.start()
            fleet.await_connected(ZONES)
        load.await_more()
    finally:
        load.enough.set()
        load.join(PATIENCE)
        tasks.started += {*load.run_tasks, *fleet.tasks()} - set(tasks.started)
    assert load.error is None
    assert set(load.refused) <= {"AGENT"}, "no agent is connected right after a restart"
    assert len(load.run_tasks) >= 27

    for arn in load.run_tasks:
        task = {"taskArn": arn}
        if arn in load.stopped:
            tasks.stopped(task)
        elif arn not in load.stopping:
            tasks.running(task)
    for arn in tasks.started:  # also those of which the answer was lost
        task = {"taskArn": arn}
        wait_until(lambda: tasks.describe(task)["lastStatus"] != "PENDING", PATIENCE, "it has begun")
    assert processes(fleet, before) == containers
    made = [host.containers("--all") for host in fleet.hosts.values()]
    for arn in load.run_tasks:
        ids = [it for of_host in made for it in of_host.get(arn, [])]
        assert len(ids) == 1 or arn in load.stopping and not ids, f"{arn}: {ids}"
    fleet.await_agreement()
    counts = f"{len(load.run_tasks)} run, {len(load.stopped)} stopped, {len(load.refused)} refused"
    print(f"{counts}, {load.unanswered} calls without an answer")


def processes(fleet, placed):
    """Of the only container of each task: its id, when it started, and its process."""
    found = fleet.containers()
    return {
        task["taskArn"]: [
            (it["Id"], it["State"]["StartedAt"], it["State"]["Pid"])
            for letter, container in found[task["taskArn"]]
            for it in engine.inspect([container], fleet.hosts[letter].host)
        ]
        for task in placed
    }


def test_nothing_is_left_of_hosts_whatever_state_they_were_in():
    reason = hosts.why_not()
    if reason:
        pytest.skip(f"no hosts can be made of this machine: {reason}")
    network = hosts.Network()
    try:
        lost, running = network.add("a", "one"), network.add("b", "one")
        running.start_engine()
        running.await_engine()
        hosts.load_probe([running])
        arguments = ["run", "--detach", "--memory", "16m", engine.IMAGE, "sleep", "600"]
        engine.docker(*arguments, host=running.host)
        lost.cut()
        traces = network.traces()
        assert {name for name, found in traces.items() if not found} <= {"mounts"}, traces
    finally:
        network.close()
    assert not any(network.traces().values()), network.traces()
