"""Running tasks through the API, and looking at them from outside and from inside."""

import itertools
import json
import urllib.error
import urllib.parse
import urllib.request

import engine
from wait import wait_until

# As much as a slow, busy machine may need for what usually takes a second.
PATIENCE = 60

numbers = itertools.count(1)


def container(name="main", **members):
    """A container definition: the probe, serving its page on a port that Docker chooses."""
    return {
        "name": name,
        "image": engine.IMAGE,
        "memory": 64,
        "portMappings": [{"containerPort": 8080}],
        **members,
    }


def quiet(name="main", **members):
    """A container definition without a port: it waits until it is stopped."""
    return {"name": name, "image": engine.IMAGE, "memory": 64, "command": ["sleep", "600"], **members}


class Tasks:
    """The tasks of one test on one server. All are stopped when the test ends."""

    def __init__(self, server):
        self.server = server
        self.ecs = server.ecs
        self.started = []

    # Definitions

    def define(self, *containers, **members):
        """Registers a definition in a family of its own; gives `family:revision`."""
        family = members.pop("family", None) or f"{engine.FAMILY_PREFIX}-{next(numbers)}"
        definition = self.ecs.register_task_definition(
            family=family, containerDefinitions=list(containers) or [container()], **members
        )["taskDefinition"]
        return f"{definition['family']}:{definition['revision']}"

    # The four operations

    def run(self, definition, **members):
        """RunTask, of which every task must be placed; gives the tasks."""
        answer = self.ecs.run_task(taskDefinition=definition, **members)
        self.started += [task["taskArn"] for task in answer["tasks"]]
        assert answer["failures"] == []
        return answer["tasks"]

    def run_one(self, definition, **members):
        (task,) = self.run(definition, **members)
        return task

    def refused(self, definition, **members):
        """RunTask, of which no task can be placed; gives the failures."""
        answer = self.ecs.run_task(taskDefinition=definition, **members)
        self.started += [task["taskArn"] for task in answer["tasks"]]
        assert answer["tasks"] == []
        return answer["failures"]

    def start(self, definition, instances, **members):
        answer = self.ecs.start_task(taskDefinition=definition, containerInstances=instances, **members)
        self.started += [task["taskArn"] for task in answer["tasks"]]
        return answer

    def stop(self, task, **members):
        return self.ecs.stop_task(task=task["taskArn"], **members)["task"]

    def describe(self, task):
        answer = self.ecs.describe_tasks(tasks=[task["taskArn"]])
        assert answer["failures"] == []
        (found,) = answer["tasks"]
        return found

    # Waiting

    def running(self, task):
        """The task, once it is RUNNING. It must not stop before."""

        def found():
            state = self.describe(task)
            assert state["lastStatus"] != "STOPPED", f"the task has stopped: {state}"
            return state["lastStatus"] == "RUNNING" and state

        return wait_until(found, PATIENCE, "the task is RUNNING")

    def stopped(self, task):
        """The task, once it is STOPPED."""

        def found():
            state = self.describe(task)
            return state["lastStatus"] == "STOPPED" and state

        return wait_until(found, PATIENCE, "the task is STOPPED")

    def run_until_running(self, *containers, **members):
        """Registers, runs and waits: gives the RUNNING task."""
        return self.running(self.run_one(self.define(*containers), **members))

    def run_until_stopped(self, *containers, **members):
        return self.stopped(self.run_one(self.define(*containers), **members))

    # From outside and inside

    def inspect(self, task, name="main"):
        """`docker inspect` of a container of the task."""
        return engine.inspect_task(task["taskArn"], self.server.settings.get("DOCKER_HOST"))[name]

    def logs(self, task, name="main"):
        return engine.logs(self.inspect(task, name)["Id"], self.server.settings.get("DOCKER_HOST"))

    def page(self, task, name="main"):
        """The page that the probe in a container shows: what it sees of itself."""
        return json.loads(self.get(task, "/", name))

    def get(self, task, path, name="main", /, **fields):
        """Fetches a path, with fields of a query, from the probe in a container."""
        port = host_port(task, 8080, name=name)
        return fetch(port, path, **fields)

    # Container instances

    def instance(self):
        """The only container instance, as it is now."""
        (arn,) = self.ecs.list_container_instances()["containerInstanceArns"]
        answer = self.ecs.describe_container_instances(containerInstances=[arn])
        assert answer["failures"] == []
        return answer["containerInstances"][0]

    def remaining(self):
        """Remaining resources by name: numbers, and sets of ports in use."""
        return by_name(self.instance()["remainingResources"])

    def close(self):
        """Stops what is left, and waits for it, so that the next test finds the instance empty."""
        for arn in self.started:
            state = self.describe({"taskArn": arn})
            if state["desiredStatus"] != "STOPPED":
                self.ecs.stop_task(task=arn, reason="the test is over")
        for arn in self.started:
            self.stopped({"taskArn": arn})


def by_name(resources):
    return {
        it["name"]: set(it["stringSetValue"]) if it["type"] == "STRINGSET" else it["integerValue"]
        for it in resources
    }


def container_of(task, name="main"):
    (found,) = [it for it in task["containers"] if it["name"] == name]
    return found


def host_port(task, container_port, protocol="tcp", name="main"):
    """The port of this machine that leads to a port of a container."""
    bindings = container_of(task, name)["networkBindings"]
    (found,) = {
        it["hostPort"]
        for it in bindings
        if it["containerPort"] == container_port and it["protocol"] == protocol
    }
    return found


def fetch(port, path, /, **fields):
    """The text of a page on this machine; an AssertionError with the answer when it is not 200."""
    query = "?" + urllib.parse.urlencode(fields) if fields else ""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer():
        try:
            return opener.open(f"http://127.0.0.1:{port}{path}{query}", timeout=10).read().decode() or "\n"
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error
        except OSError:
            return None  # RUNNING means started: the program may need a moment to listen

    return wait_until(answer, 10, f"port {port} answers")
