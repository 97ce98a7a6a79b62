"""What a task takes from its container instance, and gives back."""

import socket

from server import free_port
from tasks import by_name, container, quiet


def test_remaining_resources_move_by_the_overridden_amounts_and_come_back(tasks):
    before = tasks.remaining()
    definition = tasks.define(quiet(cpu=100, memory=300, memoryReservation=128), quiet("other", cpu=5))
    override = {"name": "main", "cpu": 256, "memory": 512, "memoryReservation": 200}
    task = tasks.run_one(definition, overrides={"containerOverrides": [override]})

    taken = tasks.remaining()
    assert before["CPU"] - taken["CPU"] == 256 + 5
    assert before["MEMORY"] - taken["MEMORY"] == 200 + 64, "the reservation rules where there is one"

    tasks.running(task)
    assert tasks.remaining() == taken
    assert tasks.instance()["runningTasksCount"] == 1
    tasks.stop(task)
    tasks.stopped(task)
    assert tasks.remaining() == before
    assert tasks.instance()["runningTasksCount"] == 0


def test_overriding_only_memory_changes_nothing_where_a_reservation_rules(tasks):
    before = tasks.remaining()
    definition = tasks.define(quiet(memory=300, memoryReservation=128))
    tasks.run_one(definition, overrides={"containerOverrides": [{"name": "main", "memory": 600}]})
    assert before["MEMORY"] - tasks.remaining()["MEMORY"] == 128


def test_static_ports_are_in_use_while_the_task_lives(tasks):
    tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
    mappings = [
        {"containerPort": 8080, "hostPort": tcp},
        {"containerPort": 53, "hostPort": udp, "protocol": "udp"},
        {"containerPort": 81},
    ]
    before = tasks.remaining()
    task = tasks.run_one(tasks.define(quiet(portMappings=mappings)))
    taken = tasks.remaining()
    assert taken["PORTS"] - before["PORTS"] == {str(tcp)}
    assert taken["PORTS_UDP"] - before["PORTS_UDP"] == {str(udp)}

    tasks.running(task)
    tasks.stop(task)
    tasks.stopped(task)
    assert tasks.remaining() == before


def test_what_does_not_fit_is_a_failure_that_names_the_instance(tasks):
    instance = tasks.instance()
    total = by_name(instance["registeredResources"])
    arn = instance["containerInstanceArn"]
    too_much = {
        "RESOURCE:CPU": quiet(cpu=total["CPU"] + 1),
        "RESOURCE:MEMORY": quiet(memory=total["MEMORY"] + 1),
    }
    for reason, definition in too_much.items():
        failures = tasks.refused(tasks.define(definition))
        assert [(it["arn"], it["reason"]) for it in failures] == [(arn, reason)]


def test_an_override_may_make_it_too_much(tasks):
    total = by_name(tasks.instance()["registeredResources"])
    override = {"name": "main", "cpu": total["CPU"] + 1}
    (failure,) = tasks.refused(
        tasks.define(quiet(cpu=1)), overrides={"containerOverrides": [override]}
    )
    assert failure["reason"] == "RESOURCE:CPU"


def test_copies_that_no_longer_fit_are_told_once(tasks):
    cpu = by_name(tasks.instance()["registeredResources"])["CPU"] // 2
    answer = tasks.ecs.run_task(taskDefinition=tasks.define(quiet(cpu=cpu)), count=4)
    tasks.started += [task["taskArn"] for task in answer["tasks"]]
    assert len(answer["tasks"]) == 2
    assert [it["reason"] for it in answer["failures"]] == ["RESOURCE:CPU"]


def test_a_static_port_is_given_to_one_task_at_a_time(tasks):
    port = free_port()
    definition = tasks.define(container(portMappings=[{"containerPort": 8080, "hostPort": port}]))
    task = tasks.running(tasks.run_one(definition))
    (failure,) = tasks.refused(definition)
    assert failure["reason"] == "RESOURCE:PORTS"
    tasks.stop(task)
    tasks.stopped(task)
    again = tasks.running(tasks.run_one(definition))
    assert tasks.page(again)["args"][1] == "serve"
