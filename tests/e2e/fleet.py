"""A control plane and the hosts of this machine that have joined it, and what both sides say."""

import collections
import contextlib

import hosts
from server import ControlPlane, free_port
from tasks import PATIENCE
from wait import wait_until


class Fleet:
    """A control plane with the hosts that have joined it."""

    def __init__(self, directory, zones):
        self.zones = zones
        self.network = hosts.Network()
        self.hosts = self.network.hosts
        self.control_plane = ControlPlane(directory)
        self.control_plane.listen = f"{self.network.address}:{free_port()}"
        self.control_plane.endpoint = f"http://{self.control_plane.listen}"

    def start(self):
        for letter, zone in self.zones.items():
            self.network.add(letter, zone).start_engine()
        it = self.control_plane.start()
        ca_file = f"{it.directory}/ca.pem"
        with open(ca_file, "w") as file:
            file.write(it.ca())
        self.url = f"https://{it.listen}"
        self.ca_file = ca_file
        it.ecs = self.client()
        # The others join by a token.
        self.trust = {"a": ["--ca-file", ca_file], "b": ["--ca-fingerprint", it.ca("--fingerprint").strip()]}
        for host in self.hosts.values():
            host.await_engine()
        hosts.load_probe(self.hosts.values())
        for host in self.hosts.values():
            self.start_agent(host)
        self.await_connected(self.zones)
        return self

    def client(self):
        return self.control_plane.client(self.url, verify=self.ca_file)

    def start_agent(self, host):
        """Starts it, and waits until it says that it is connected."""
        before = len(host.agent_text())
        if host.letter in self.trust:
            host.start_agent(self.control_plane, "--endpoint", self.url, *self.trust[host.letter])
        else:
            join = [] if before else ["join", self.control_plane.token()]
            host.start_agent(self.control_plane, *join, has_key=False)

        def connected():
            assert host.agent.poll() is None, host.agent_text()
            return "longshore agent connected" in host.agent_text()[before:]

        wait_until(connected, PATIENCE, f"the agent of {host.name} is connected")

    def close(self):
        with contextlib.ExitStack() as all_of_it:
            all_of_it.callback(self.control_plane.close)
            all_of_it.callback(self.network.close)

    # What the API says

    def instances(self):
        """The container instances by the letters of their hosts."""
        ecs = self.control_plane.ecs
        arns = ecs.list_container_instances()["containerInstanceArns"]
        if not arns:
            return {}
        answer = ecs.describe_container_instances(containerInstances=arns)
        return {attributes(it)["machine"]: it for it in answer["containerInstances"]}

    def arn(self, letter):
        return self.instances()[letter]["containerInstanceArn"]

    def is_connected(self, letter):
        return self.instances()[letter]["agentConnected"]

    def await_connected(self, letters):
        def connected():
            found = self.instances()
            return all(it in found and found[it]["agentConnected"] for it in letters)

        wait_until(connected, PATIENCE, f"the agents of {letters} are connected")

    def host_of(self, task):
        """The letter of the host where the API says that the task is."""
        arn = task["containerInstanceArn"]
        (found,) = [letter for letter, it in self.instances().items() if it["containerInstanceArn"] == arn]
        return found

    def tasks(self):
        """The ARNs of all tasks that are to run."""
        pages = self.control_plane.ecs.get_paginator("list_tasks").paginate()
        return [arn for page in pages for arn in page["taskArns"]]

    def running(self):
        """The letters of the hosts of RUNNING tasks, by ARN."""
        ecs = self.control_plane.ecs
        arns = self.tasks()
        letters = {it["containerInstanceArn"]: letter for letter, it in self.instances().items()}
        tasks = [
            task
            for first in range(0, len(arns), 100)
            for task in ecs.describe_tasks(tasks=arns[first : first + 100])["tasks"]
        ]
        return {
            task["taskArn"]: letters[task["containerInstanceArn"]]
            for task in tasks
            if task["lastStatus"] == "RUNNING"
        }

    def containers(self):
        """The containers that run, with the letters of their hosts, by their task's ARN."""
        found = collections.defaultdict(list)
        for letter, host in self.hosts.items():
            for arn, ids in host.containers().items():
                found[arn] += [(letter, it) for it in ids]
        return found

    def await_agreement(self):
        """Each task that is RUNNING is one container on the host where it is said to be, and no
        other runs."""
        there = said = None

        def agree():
            nonlocal there, said
            there = {arn: [letter for letter, _ in found] for arn, found in self.containers().items()}
            said = {arn: [letter] for arn, letter in self.running().items()}
            return there == said

        with contextlib.suppress(AssertionError):
            wait_until(agree, 10, "the API says what is there")
        assert there == said


def attributes(instance):
    return {it["name"]: it.get("value") for it in instance["attributes"]}
