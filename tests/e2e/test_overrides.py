"""Container overrides: what June 2017 added, and what was there before."""

import pytest

from tasks import container, quiet

MIB = 1 << 20

# All that can be overridden, on a definition that gives each its own value.
DEFINED = {
    "command": ["serve", "--port", "8080"],
    "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "cpu": 100,
    "memory": 300,
    "memoryReservation": 128,
}
OVERRIDE = {
    "name": "main",
    "command": ["serve", "--port", "8080", "--term-code", "9"],
    "environment": [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}],
    "cpu": 256,
    "memory": 200,
    "memoryReservation": 96,
}


def run_with(tasks, *overrides, **members):
    definition = tasks.define(container(**{**DEFINED, **members}))
    task = tasks.run_one(definition, overrides={"containerOverrides": list(overrides)})
    return tasks.running(task)


def cpu_in_cgroup(limits):
    """The CPU shares as the cgroup shows them; for version 2, what the weight was made of."""
    if limits["cgroup_version"] == 1:
        return limits["cpu_shares"]
    return pytest.skip("version 2 shows a weight; docker inspect is looked at in other tests")


def test_without_overrides_the_container_gets_what_the_definition_says(tasks):
    task = run_with(tasks)
    page = tasks.page(task)
    assert page["args"] == ["/longshore-probe", "serve", "--port", "8080"]
    assert page["env"]["A"] == "1"
    assert page["env"]["B"] == "2"
    assert page["limits"]["memory_limit_bytes"] == 300 * MIB
    assert page["limits"]["memory_reservation_bytes"] == 128 * MIB
    host = tasks.inspect(task)["HostConfig"]
    assert (host["CpuShares"], host["Memory"], host["MemoryReservation"]) == (100, 300 * MIB, 128 * MIB)


def test_the_container_itself_sees_every_override(tasks):
    task = run_with(tasks, OVERRIDE)
    page = tasks.page(task)
    assert page["args"] == ["/longshore-probe", *OVERRIDE["command"]]
    assert {name: page["env"].get(name) for name in "ABC"} == {"A": "1", "B": "9", "C": "3"}
    assert page["limits"]["memory_limit_bytes"] == 200 * MIB
    assert page["limits"]["memory_reservation_bytes"] == 96 * MIB
    host = tasks.inspect(task)["HostConfig"]
    assert (host["CpuShares"], host["Memory"], host["MemoryReservation"]) == (256, 200 * MIB, 96 * MIB)
    assert cpu_in_cgroup(page["limits"]) == 256


def test_overrides_are_echoed_as_sent_by_all_four_operations(tasks):
    definition = tasks.define(container(**DEFINED), quiet("other"))
    overrides = {"containerOverrides": [OVERRIDE]}
    expected = {"main": OVERRIDE, "other": {"name": "other"}}

    def echoed(task):
        assert task["overrides"].get("taskRoleArn") in (None, "")
        return {it["name"]: it for it in task["overrides"]["containerOverrides"]}

    task = tasks.run_one(definition, overrides=overrides)
    assert echoed(task) == expected
    assert echoed(tasks.describe(task)) == expected
    assert echoed(tasks.running(task)) == expected
    assert echoed(tasks.stop(task)) == expected
    assert echoed(tasks.stopped(task)) == expected

    (started,) = tasks.start(definition, [task["containerInstanceArn"]], overrides=overrides)["tasks"]
    assert echoed(started) == expected
    assert tasks.page(tasks.running(started))["env"]["B"] == "9"


@pytest.mark.parametrize(
    "override, effective",
    [
        ({"cpu": 7}, (7, 300, 128)),
        ({"memory": 128}, (100, 128, 128)),
        ({"memoryReservation": 300}, (100, 300, 300)),
        ({"cpu": 0}, (2, 300, 128)),
        ({"cpu": 1}, (2, 300, 128)),
    ],
)
def test_each_number_is_replaced_on_its_own(tasks, override, effective):
    task = run_with(tasks, {"name": "main", **override})
    host = tasks.inspect(task)["HostConfig"]
    cpu, memory, reservation = effective
    assert (host["CpuShares"], host["Memory"], host["MemoryReservation"]) == (
        cpu,
        memory * MIB,
        reservation * MIB,
    )


def test_an_override_may_add_a_number_that_the_definition_lacks(tasks):
    definition = tasks.define(container(memory=64))
    override = {"name": "main", "memoryReservation": 32}
    task = tasks.running(tasks.run_one(definition, overrides={"containerOverrides": [override]}))
    assert tasks.page(task)["limits"]["memory_reservation_bytes"] == 32 * MIB


def test_a_reservation_alone_sets_no_hard_limit(tasks):
    only_soft = container(memoryReservation=32)
    del only_soft["memory"]
    task = tasks.run_until_running(only_soft)
    limits = tasks.page(task)["limits"]
    assert limits["memory_limit_bytes"] is None
    assert limits["memory_reservation_bytes"] == 32 * MIB
    assert tasks.inspect(task)["HostConfig"]["Memory"] == 0


def test_environment_of_the_image_is_overridden_too(tasks):
    task = run_with(tasks)
    assert tasks.page(task)["env"]["BAKED_IN"] == "image"
    task = run_with(tasks, {"name": "main", "environment": [{"name": "BAKED_IN", "value": "override"}]})
    assert tasks.page(task)["env"]["BAKED_IN"] == "override"


@pytest.mark.parametrize("override", [{}, {"name": "main"}, {"name": "main", "command": []}])
def test_an_empty_override_changes_nothing(tasks, override):
    task = run_with(tasks, override)
    assert tasks.page(task)["args"] == ["/longshore-probe", *DEFINED["command"]]
    assert tasks.inspect(task)["HostConfig"]["CpuShares"] == 100


def test_an_override_touches_only_the_container_that_it_names(tasks):
    definition = tasks.define(container("one", **DEFINED), container("two", **DEFINED))
    overrides = {"containerOverrides": [{**OVERRIDE, "name": "two"}]}
    task = tasks.running(tasks.run_one(definition, overrides=overrides))
    assert tasks.page(task, "one")["env"]["B"] == "2"
    assert tasks.page(task, "two")["env"]["B"] == "9"
    assert tasks.inspect(task, "one")["HostConfig"]["CpuShares"] == 100
    assert tasks.inspect(task, "two")["HostConfig"]["CpuShares"] == 256


def test_odd_characters_reach_the_container_unchanged(tasks):
    odd = "ü \"quoted\" $HOME `x` \\ \n second line {}=%"
    override = {
        "name": "main",
        "command": ["serve", "--port", "8080", "--mark", odd],
        "environment": [{"name": "ODD", "value": odd}, {"name": "EMPTY", "value": ""}],
    }
    page = tasks.page(run_with(tasks, override))
    assert page["args"][-1] == odd
    assert page["env"]["ODD"] == odd
    assert page["env"]["EMPTY"] == ""
