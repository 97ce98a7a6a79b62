"""Airflow's ECS operators, executed as a worker executes them, but without a scheduler.

Runs in Airflow's own environment; the endpoint and the credentials come from the process's. The
last line that it prints tells what came out, as JSON.
"""

import json
import sys

from airflow.providers.amazon.aws.operators import ecs
from airflow.providers.common.compat.sdk import AirflowException

CLUSTER = "airflow"


class TaskInstance:
    """What the operators use of Airflow's task instance: who they are, and where results go."""

    dag_id, task_id, run_id, map_index = "walk", "run", "now", -1

    def __init__(self):
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = value


def main(family, image):
    instance = TaskInstance()
    context = {"ti": instance}

    ecs.EcsCreateClusterOperator(
        task_id="create", cluster_name=CLUSTER, wait_for_completion=True, waiter_delay=1
    ).execute(context)

    container = {"name": "main", "image": image, "memory": 64, "command": ["sleep", "600"]}
    definition = ecs.EcsRegisterTaskDefinitionOperator(
        task_id="register",
        family=family,
        container_definitions=[container],
        register_task_kwargs={"tags": [{"key": "team", "value": "blue"}]},
    ).execute(context)

    run(definition, "exit", "0").execute(context)
    succeeded = instance.pushed["ecs_task_arn"]
    try:
        run(definition, "exit", "3").execute(context)
        failed = None
    except AirflowException as error:
        failed = str(error).partition(" {")[0]

    ecs.EcsDeregisterTaskDefinitionOperator(task_id="deregister", task_definition=definition).execute(context)
    ecs.EcsDeleteClusterOperator(
        task_id="delete", cluster_name=CLUSTER, wait_for_completion=True, waiter_delay=1
    ).execute(context)
    print(json.dumps({"definition": definition, "succeeded": succeeded, "failed": failed}))


def run(definition, *command):
    """An operator that runs one task and waits until it has stopped."""
    override = {
        "name": "main",
        "command": list(command),
        "memory": 32,
        "environment": [{"name": "GREETING", "value": "from Airflow"}],
    }
    return ecs.EcsRunTaskOperator(
        task_id="run",
        owner="the-owner",
        cluster="default",
        task_definition=definition,
        overrides={"containerOverrides": [override]},
        tags={"colour": "green"},
        propagate_tags="TASK_DEFINITION",
        waiter_delay=1,
        waiter_max_attempts=60,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
