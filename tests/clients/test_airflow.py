"""Airflow: operators that create and delete a cluster, register, run to completion, deregister."""

import json
import os
import subprocess

import engine
from program import check_container, installed, tags

FAMILY = f"{engine.FAMILY_PREFIX}-airflow"
OPERATORS = os.path.join(os.path.dirname(__file__), "airflow_operators.py")


def python():
    return os.path.join(installed("LONGSHORE_VENV_AIRFLOW"), "bin", "python")


def version():
    names = ("apache-airflow", "apache-airflow-providers-amazon")
    asked = f"import importlib.metadata as it; print(*map(it.version, {names}))"
    told = subprocess.run([python(), "-c", asked], capture_output=True, text=True).stdout
    return "{}, provider {}".format(*told.split())


def test_a_task_from_its_definition_to_its_end(server, program, tmp_path):
    said = program.run(python(), OPERATORS, FAMILY, engine.IMAGE, AIRFLOW_HOME=str(tmp_path))
    told = json.loads(said.splitlines()[-1])
    state = check_container(server, told["succeeded"], greeting="from Airflow", memory_mib=32)
    assert state["startedBy"] == "the-owner"
    (state,) = server.ecs.describe_tasks(tasks=[told["succeeded"]], include=["TAGS"])["tasks"]
    assert tags(state["tags"]) == {"colour": "green", "team": "blue"}
    assert told["failed"] == "This task is not in success state"
    definition = server.ecs.describe_task_definition(taskDefinition=told["definition"])
    assert definition["taskDefinition"]["status"] == "INACTIVE"
