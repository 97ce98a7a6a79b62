"""Ansible, community.aws: ecs_cluster, ecs_taskdefinition, ecs_task, each done and found done; ecs_tag."""

import os
import subprocess

import engine
from program import check_container, installed

FAMILY = f"{engine.FAMILY_PREFIX}-ansible"
PLAYBOOK = os.path.join(os.path.dirname(__file__), "ansible", "play.yml")


def program_of(name):
    return os.path.join(installed("LONGSHORE_VENV_ANSIBLE"), "bin", name)


def version():
    command = [program_of("ansible-galaxy"), "collection", "list", "community.aws"]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    return next(line.split()[1] for line in told.splitlines() if line.startswith("community.aws"))


def test_the_playbook(server, program, tmp_path):
    variables = f"family={FAMILY} image={engine.IMAGE} ansible_python_interpreter={program_of('python')}"
    said = program.run(
        program_of("ansible-playbook"), "--inventory", "localhost,", "--extra-vars", variables, PLAYBOOK,
        ANSIBLE_HOME=str(tmp_path), ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_NOCOLOR="1",
    )  # fmt: skip
    assert "failed=0" in said
    (task,) = server.ecs.list_tasks(desiredStatus="STOPPED")["taskArns"]
    state = check_container(server, task, greeting="from Ansible", memory_mib=32)
    assert state["startedBy"] == "ansible"
