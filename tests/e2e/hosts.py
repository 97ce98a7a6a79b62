"""Several hosts out of this machine, each with its own network, Docker Engine and agent.

A host's network is a namespace that reaches this machine by one cable, a pair of virtual
interfaces, and nothing else. Its processes but the agent are in a PID namespace, so that the death
of the first is the death of all and takes their mounts with it, as when the power goes. The control
plane listens at this machine's end, where it speaks TLS.
"""

import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import tempfile

import engine
from server import BINARY, NO_TRACES
from wait import wait_until

PROGRAMS = ("ip", "tc", "iptables", "nsenter", "unshare", "dockerd")

# Of a host's own bridge, the same in each: nobody else sees it.
CONTAINERS = "10.214.0.1/24"

# Containers' shims have their sockets below, whichever engine they are of.
OWN_RUN = 'mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && exec "$@"'


def why_not():
    """Why there can be no hosts on this machine; None where there can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    missing = [it for it in PROGRAMS if not shutil.which(it)]
    if missing:
        return f"there is no {', '.join(missing)}"
    name = f"lsprobe{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if tried.returncode == 0:
        cable = ["type", "veth", "peer", "name", "up0", "netns", name]
        tried = subprocess.run(["ip", "link", "add", name, *cable], capture_output=True, text=True)
        ip("netns", "del", name)
    return f"this machine lets nobody make networks: {tried.stderr.strip()}" if tried.returncode else None


class Network:
    """A bridge of this machine with the hosts at it, and where the control plane is to listen."""

    def __init__(self):
        self.number = self.take_number()
        self.bridge = f"ls{self.number}"
        self.address = f"10.213.{self.number}.1"
        # A short path: the engines make sockets below it.
        self.directory = tempfile.mkdtemp(prefix=f"{self.bridge}-", dir="/tmp")
        self.hosts = {}
        ip("address", "add", f"{self.address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    @staticmethod
    def take_number():
        """Makes the bridge: whoever can has its number."""
        for number in random.sample(range(1, 255), 20):
            taken = run("ip", "-o", "route", "show", "root", f"10.213.{number}.0/24")
            made = not taken and subprocess.run(
                ["ip", "link", "add", f"ls{number}", "type", "bridge"], capture_output=True
            )
            if made and made.returncode == 0:
                return number
        raise AssertionError("no network of 10.213.0.0/16 is free")

    def add(self, letter, zone):
        host = self.hosts[letter] = Host(self, letter, zone)
        host.make_network()
        return host

    def close(self):
        """Removes everything, whatever state it is in."""
        with contextlib.ExitStack() as all_of_it:
            all_of_it.callback(shutil.rmtree, self.directory, ignore_errors=True)
            all_of_it.callback(ip, "link", "del", self.bridge)
            for host in self.hosts.values():
                all_of_it.callback(host.close)

    def traces(self):
        """What of it is on this machine: nothing, after the end."""
        names = [self.bridge, *(it.name for it in self.hosts.values())]
        namespaces = [it.split()[0] for it in run("ip", "netns", "list").splitlines()]
        links = [it.split(": ")[1].split("@")[0] for it in run("ip", "-o", "link").splitlines()]
        with open("/proc/self/mounts") as mounts:
            mounted = [it.split()[1] for it in mounts]
        return {
            "namespaces": [it for it in namespaces if it in names],
            "interfaces": [it for it in links if it in names],
            "mounts": [it for it in mounted if self.directory in it or it.rpartition("/")[2] in names],
            "processes": [it for it in command_lines() if self.directory in it],
            "control groups": [it for name in names for it in control_groups(name)],
            "directories": glob.glob(f"{self.directory}*"),
        }


class Host:
    """One host: its engine, `host` for Docker's clients, and its agent."""

    def __init__(self, network, letter, zone):
        self.network, self.letter, self.zone = network, letter, zone
        self.name = f"ls{network.number}{letter}"  # of namespace, cable and control group
        self.directory = os.path.join(network.directory, letter)
        self.host = f"unix://{self.directory}/s"
        self.engine = self.agent = None
        os.mkdir(self.directory)

    def make_network(self):
        number = 2 + "abcdefgh".index(self.letter)
        ip("netns", "add", self.name)
        ip("link", "add", self.name, "type", "veth", "peer", "name", "up0", "netns", self.name)
        ip("link", "set", self.name, "master", self.network.bridge, "up")
        ip("-n", self.name, "address", "add", f"10.213.{self.network.number}.{number}/24", "dev", "up0")
        ip("-n", self.name, "link", "set", "lo", "up")
        ip("-n", self.name, "link", "set", "up0", "up")

    def inside(self, *command):
        """Not `ip netns exec`, which hides the control groups."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    # The engine

    def start_engine(self):
        """As at the host's boot: what is kept in /run elsewhere begins empty."""
        shutil.rmtree(f"{self.directory}/run", ignore_errors=True)
        os.mkdir(f"{self.directory}/run")
        configuration = f"{self.directory}/daemon.json"
        with open(configuration, "w") as it:
            it.write("{}")  # else the engine would read that of the machine
        command = [
            "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
            "sh", "-c", OWN_RUN, "-", "dockerd",
            "--config-file", configuration,
            "--host", self.host,
            "--data-root", f"{self.directory}/data",
            "--exec-root", f"{self.directory}/run/exec",
            "--pidfile", f"{self.directory}/run/pid",
            "--bip", CONTAINERS,
            "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--cgroup-parent", f"/{self.name}",
        ]  # fmt: skip
        self.engine = self.start(command, "engine.log", os.environ)

    def engine_answers(self):
        assert self.engine.poll() is None, f"dockerd ended:\n{self.text_of('engine.log')}"
        version = ["version", "--format", "{{.Server.Version}}"]
        return engine.docker(*version, host=self.host, check=False).strip()

    def await_engine(self):
        wait_until(self.engine_answers, 90, f"the engine of {self.name} answers")

    # The agent

    def start_agent(self, control_plane, *options, has_key=True):
        """Its container instance has the attribute `machine`. A host that has joined by a token
        has a key and knows whom to trust; others are given the server's key."""
        attributes = f"machine={self.letter}"
        command = [
            BINARY, "agent", *options,
            "--data-dir", f"{self.directory}/agent",
            "--zone", self.zone, "--instance-attributes", attributes,
            "--stop-timeout", "3s",
        ]  # fmt: skip
        environment = {**control_plane.environment(), "DOCKER_HOST": self.host}
        for name in NO_TRACES:
            environment.pop(name)  # its network is its own
        aws = control_plane.aws_environment()
        of_key = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        environment.update({it: aws[it] for it in of_key} if has_key else {})
        self.agent = self.start(command, "agent.log", environment)

    def addresses(self):
        return run("ip", "-n", self.name, "-brief", "address", "show", "dev", "lo")

    def kill_agent(self):
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait(10)

    # What happens to hosts

    def cut(self):
        """Pulls the cable at this machine's end."""
        ip("link", "set", self.name, "down")

    def heal(self):
        ip("link", "set", self.name, "up")

    def slow(self):
        """Delays what goes to the host: by a third of a second, or where the kernel cannot, by as
        long as it takes on a line of 128 kbit/s. Says which."""
        delay = ["tc", "qdisc", "replace", "dev", self.name, "root", "netem", "delay", "300ms"]
        if subprocess.run(delay, capture_output=True).returncode == 0:
            return "netem"
        line = ["tbf", "rate", "128kbit", "burst", "2kb", "latency", "5s"]
        run("tc", "qdisc", "replace", "dev", self.name, "root", *line)
        return "tbf"

    def not_slow(self):
        run("tc", "qdisc", "del", "dev", self.name, "root")

    def starve(self):
        """Lets the engine, its containers and the agent have a tenth of one CPU."""
        self.own_group = os.path.join(top_of_cpu_groups(), self.name, "host")
        os.makedirs(self.own_group, exist_ok=True)
        limit_cpu(os.path.dirname(self.own_group), 10_000)
        for process in descendants(self.engine.pid, self.agent.pid):
            move_to_group(process, self.own_group)

    def not_starved(self):
        limit_cpu(os.path.dirname(self.own_group), None)
        with open(f"{self.own_group}/cgroup.procs") as processes:
            for process in processes.read().split():
                move_to_group(process, top_of_cpu_groups())

    def lose(self):
        """The power goes: agent, engine and containers end at once, and the network says nothing."""
        self.cut()
        self.power_off()

    def power_off(self):
        for process in (self.agent, self.engine):
            if process and process.poll() is None:
                process.kill()
                process.wait(10)
        wait_until(lambda: remove_control_groups(self.name), 20, f"the containers of {self.name} are gone")

    def close(self):
        with contextlib.ExitStack() as all_of_it:
            all_of_it.callback(ip, "netns", "del", self.name)
            all_of_it.callback(ip, "link", "del", self.name)
            all_of_it.callback(self.power_off)

    def start(self, command, log, environment):
        with open(os.path.join(self.directory, log), "ab") as output:
            return subprocess.Popen(
                self.inside(*command),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def agent_text(self):
        return self.text_of("agent.log")

    def text_of(self, log):
        path = os.path.join(self.directory, log)
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as it:
            return it.read()

    # What is there

    def containers(self, *options):
        """The containers of tasks, by the id of their task: those that run, or with `--all`."""
        label = '{{.ID}} {{.Label "' + engine.TASK_LABEL + '"}}'
        filters = ["--no-trunc", "--filter", f"label={engine.TASK_LABEL}", "--format", label]
        lines = engine.docker("ps", *options, *filters, host=self.host).splitlines()
        found = {}
        for container, arn in (it.split(" ", 1) for it in lines):
            found.setdefault(arn, []).append(container)
        return found


def load_probe(hosts):
    """Gives each host's engine the test image."""
    with tempfile.TemporaryFile() as image:
        subprocess.run(["docker", "save", engine.IMAGE], stdout=image, check=True)
        for host in hosts:
            image.seek(0)
            command = ["docker", "--host", host.host, "load"]
            subprocess.run(command, stdin=image, check=True, capture_output=True)


def ip(*arguments):
    return run("ip", *arguments)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def command_lines():
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, errors="replace") as it:
            yield it.read().replace("\0", " ")


def descendants(*processes):
    """These, and whatever they have started, deepest last."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path) as it:
            number, _, rest = it.read().partition(" (")
            parents[int(number)] = int(rest.rpartition(") ")[2].split()[1])
    found = list(processes)
    for one in found:
        found += [number for number, parent in parents.items() if parent == one]
    return found


def top_of_cpu_groups():
    """Where control groups have CPUs: on version 1 in a hierarchy of their own."""
    return "/sys/fs/cgroup/cpu" if os.path.isdir("/sys/fs/cgroup/cpu") else "/sys/fs/cgroup"


def limit_cpu(group, micros):
    """Of each tenth of a second; None is no limit."""
    old = os.path.join(group, "cpu.cfs_quota_us")
    if os.path.exists(old):
        write(os.path.join(group, "cpu.cfs_period_us"), 100_000)
        write(old, -1 if micros is None else micros)
    else:
        write(os.path.join(group, "cpu.max"), f"{'max' if micros is None else micros} 100000")


def move_to_group(process, group):
    with contextlib.suppress(ProcessLookupError):  # it may have ended
        write(os.path.join(group, "cgroup.procs"), process)


def write(path, value):
    with open(path, "w") as it:
        it.write(str(value))


def control_groups(name):
    """Deepest first. At the top on version 2 of control groups, in each hierarchy on version 1."""
    tops = [*glob.glob(f"/sys/fs/cgroup/{name}"), *glob.glob(f"/sys/fs/cgroup/*/{name}")]
    return [path for top in tops for path, _, _ in os.walk(top, topdown=False)]


def remove_control_groups(name):
    """Whether they are gone: those that hold a process cannot be."""
    for path in control_groups(name):
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return not control_groups(name)
