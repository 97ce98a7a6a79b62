"""What Docker itself knows, asked of its command line."""

import contextlib
import glob
import json
import os
import subprocess

TASK_LABEL = "com.amazonaws.ecs.task-arn"
NAME_LABEL = "com.amazonaws.ecs.container-name"
IMAGE = os.environ.get("PROBE_IMAGE", "longshore-probe:latest")


def docker(*arguments, host=None, check=True):
    command = ["docker", *(["--host", host] if host else []), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def ids_of_task(task_arn, host=None):
    """Containers that carry the task's label, running or not."""
    filters = ["--filter", f"label={TASK_LABEL}={task_arn}"]
    return docker("ps", "--all", "--quiet", "--no-trunc", *filters, host=host).split()


def inspect_task(task_arn, host=None):
    """`docker inspect` of each of the task's containers, by its name in the task definition."""
    found = inspect(ids_of_task(task_arn, host), host)
    return {it["Config"]["Labels"][NAME_LABEL]: it for it in found if NAME_LABEL in it["Config"]["Labels"]}


def inspect(ids, host=None):
    """`docker inspect` of those of the containers that are still there."""
    if not ids:
        return []
    command = ["docker", *(["--host", host] if host else []), "container", "inspect", *ids]
    done = subprocess.run(command, capture_output=True, text=True)
    failures = [it for it in done.stderr.splitlines() if "no such container" not in it.lower()]
    assert not failures, f"{' '.join(command)}: {done.stderr}"
    return json.loads(done.stdout)


def logs(container_id, host=None):
    return docker("logs", container_id, host=host)


def can_run(*options):
    """Whether this engine, on this machine, can run a container with these options."""
    command = ["docker", "run", "--rm", "--network", "none", *options, IMAGE, "exit", "0"]
    return subprocess.run(command, capture_output=True).returncode == 0


def remove_containers_of(part_of_arn, host=None):
    """Removes what a test's server has left, by a part of the task's ARN: containers, and the
    control groups of tasks that had limits of their own."""
    labelled = '{{.ID}} {{.Label "' + TASK_LABEL + '"}}'
    every = ["--all", "--no-trunc", "--filter", f"label={TASK_LABEL}", "--format", labelled]
    lines = [line.split(" ", 1) for line in docker("ps", *every, host=host, check=False).splitlines()]
    left = [(container, arn) for container, arn in lines if part_of_arn in arn]
    remove("rm", [container for container, _ in left], host)
    for task in {arn.rsplit("/", 1)[-1] for _, arn in left}:
        # At the top on version 2 of control groups, in each hierarchy on version 1, of which some
        # have two names.
        for part in ("", "*/"):
            for group in glob.glob(f"/sys/fs/cgroup/{part}ecs/{task}"):
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(group)


def remove_leftovers():
    """Removes what was still being made when its server was killed, and volumes, by their names."""

    def ours(names):
        return [name for name in names.split() if f"-{FAMILY_PREFIX}-" in name]

    remove("rm", ours(docker("ps", "--all", "--format", "{{.Names}}")))
    remove("volume rm", ours(docker("volume", "ls", "--quiet")))


def remove(command, names, host=None):
    options = ["--force", "--volumes"] if command == "rm" else ["--force"]
    if names:
        docker(*command.split(), *options, *names, host=host, check=False)


# Every family that a run of the tests registers begins with this; names of containers have it.
FAMILY_PREFIX = f"e2e{os.getpid()}"
