"""Shows one task from start to stop, through the ECS API and from inside its container.

The endpoint and the credentials come from the environment, as `longshore env` prints them.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.exceptions import BotoCoreError, ClientError

FAMILY = "longshore-demo"
TASK_LABEL = "com.amazonaws.ecs.task-arn"

DEFINITION = {
    "name": "page",
    "command": ["serve", "--port", "8080"],
    "environment": [
        {"name": "GREETING", "value": "from the task definition"},
        {"name": "KEPT", "value": "from the task definition"},
    ],
    "cpu": 64,
    "memory": 128,
    "memoryReservation": 64,
    "portMappings": [{"containerPort": 8080}],
}

OVERRIDE = {
    "name": "page",
    "command": ["serve", "--port", "8080", "--term-code", "0"],
    "environment": [{"name": "GREETING", "value": "from RunTask"}],
    "cpu": 256,
    "memory": 64,
    "memoryReservation": 32,
}


class DemoFailed(Exception):
    """Something was not as it should be; the message says what."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True)
    parser.add_argument("--remove", action="store_true", help="wait until the container is removed")
    arguments = parser.parse_args()

    ecs = boto3.client("ecs")
    definition = register(ecs, arguments.image)
    task = run(ecs, definition)
    try:
        binding = wait_until_running(ecs, task)
        show_page(binding)
        stop(ecs, task)
    finally:
        if arguments.remove:
            remove_containers(ecs, task)


def register(ecs, image):
    definition = ecs.register_task_definition(
        family=FAMILY, containerDefinitions=[dict(DEFINITION, image=image)]
    )["taskDefinition"]
    say("RegisterTaskDefinition", f"{definition['family']}:{definition['revision']}")
    show(without(DEFINITION, "name"))
    return definition["taskDefinitionArn"]


def run(ecs, definition):
    answer = ecs.run_task(
        taskDefinition=definition,
        startedBy="scripts-up",
        overrides={"containerOverrides": [OVERRIDE]},
    )
    if answer["failures"]:
        raise DemoFailed(f"RunTask could not place the task: {answer['failures']}")
    task = answer["tasks"][0]
    say("RunTask", task["taskArn"])
    say("  with this override of the container")
    show(without(OVERRIDE, "name"))
    return task["taskArn"]


def wait_until_running(ecs, task):
    def running(state):
        if state["lastStatus"] == "STOPPED":
            reasons = [it.get("reason", "no reason") for it in state["containers"]]
            raise DemoFailed(f"the task stopped: {state.get('stoppedReason')}; {reasons}")
        return state["lastStatus"] == "RUNNING"

    say("DescribeTasks")
    state = poll(ecs, task, running)
    binding = state["containers"][0]["networkBindings"][0]
    say(f"  port {binding['containerPort']} of the container is port {binding['hostPort']} here")
    return binding


def show_page(binding):
    url = f"http://127.0.0.1:{binding['hostPort']}/"
    # Never through a proxy: the port is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        page = json.load(opener.open(url, timeout=10))
    except OSError as error:
        raise DemoFailed(f"the container's page {url} cannot be fetched: {error}") from error
    say(f"GET {url}", "what the container sees")
    names = {it["name"] for it in DEFINITION["environment"]}
    seen = {
        "args": page["args"],
        "env": {name: value for name, value in page["env"].items() if name in names},
        "limits": page["limits"],
    }
    show(seen)
    expected = {"GREETING": "from RunTask", "KEPT": "from the task definition"}
    check("environment", seen["env"], expected)
    check("memory limit", page["limits"]["memory_limit_bytes"], OVERRIDE["memory"] << 20)


def stop(ecs, task):
    ecs.stop_task(task=task, reason="The demo is over")
    say("StopTask", "with a reason")
    state = poll(ecs, task, lambda state: state["lastStatus"] == "STOPPED")
    container = state["containers"][0]
    say(f"  exitCode {container.get('exitCode')}, stoppedReason {state.get('stoppedReason')!r}")
    check("exitCode", container.get("exitCode"), 0)
    check("stoppedReason", state.get("stoppedReason"), "The demo is over")


def poll(ecs, task, done, seconds=60):
    """Describes the task until it is done, and tells each change of its status."""
    told = None
    deadline = time.monotonic() + seconds
    while True:
        state = ecs.describe_tasks(tasks=[task])["tasks"][0]
        if state["lastStatus"] != told:
            told = state["lastStatus"]
            say(f"  lastStatus {told}, desiredStatus {state['desiredStatus']}")
        if done(state):
            return state
        if time.monotonic() > deadline:
            raise DemoFailed(f"the task is still {told} after {seconds} s")
        time.sleep(0.1)


def remove_containers(ecs, task):
    """The agent removes them; should it fail to, or the demo have failed, we do."""
    if containers(task):
        ecs.stop_task(task=task)
    deadline = time.monotonic() + 20
    while containers(task) and time.monotonic() < deadline:
        time.sleep(0.2)
    left = containers(task)
    if left:
        subprocess.run(["docker", "rm", "--force", "--volumes", *left], check=False)
        raise DemoFailed(f"the agent did not remove {left}; the demo did")
    say("the agent has removed the container")


def containers(task):
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"label={TASK_LABEL}={task}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def check(what, seen, expected):
    if seen != expected:
        raise DemoFailed(f"{what} should be {expected!r}, but is {seen!r}")


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def say(*words):
    print("   ", *words, flush=True)


def show(value):
    for key, member in value.items():
        say(f"    {key}: {json.dumps(member)}")


if __name__ == "__main__":
    try:
        main()
    except (DemoFailed, ClientError, BotoCoreError, subprocess.CalledProcessError) as error:
        sys.exit(f"demo: {error}")
