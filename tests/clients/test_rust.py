"""aws-sdk-ecs: a task with tags and overrides, waiters, paginators, idempotent RunTask, typed errors."""

import os
import re

import engine
from program import check_container, installed

FAMILY = f"{engine.FAMILY_PREFIX}-rust"


def version():
    lock = os.path.join(os.path.dirname(__file__), "rust", "Cargo.lock")
    with open(lock) as text:
        return re.search(r'name = "aws-sdk-ecs"\nversion = "(.+)"', text.read())[1]


def test_a_task_from_its_definition_to_its_end(server, program):
    program.run(installed("LONGSHORE_RUST_CLIENT"), FAMILY, engine.IMAGE)
    (task,) = server.ecs.list_tasks(desiredStatus="STOPPED")["taskArns"]
    check_container(server, task, greeting="from Rust", memory_mib=32)
