"""Container instances that drain, are let go and come back, with a real agent on them."""

import os
import socket

import pytest
from botocore.exceptions import ClientError

from tasks import Tasks, container, fetch, host_port, quiet
from wait import wait_until


@pytest.fixture
def own(new_server):
    return new_server()


def test_a_machine_that_was_let_go_keeps_its_containers_and_joins_anew(own):
    tasks = Tasks(own)
    task = tasks.run_until_running(container())
    before = tasks.instance()
    arn = before["containerInstanceArn"]
    with pytest.raises(ClientError, match="Found running tasks on the instance."):
        own.ecs.deregister_container_instance(containerInstance=arn)
    gone = own.ecs.deregister_container_instance(containerInstance=arn, force=True)["containerInstance"]
    assert (gone["status"], gone["agentConnected"]) == ("INACTIVE", False)

    lost = tasks.describe(task)
    assert lost["lastStatus"] == "STOPPED"
    assert lost["stoppedReason"] == "Container instance deregistration forced by user"
    assert own.ecs.list_container_instances()["containerInstanceArns"] == []
    wait_until(lambda: "was deregistered. The agent ends" in own.log_text(), 30, "the agent learns of it")
    assert "limits" in fetch(host_port(task, 8080), "/"), "the container goes on"

    assert own.terminate() == 0, own.log_tail()
    own.start()
    after = tasks.instance()
    assert after["containerInstanceArn"] != arn
    assert (after["status"], after["agentConnected"]) == ("ACTIVE", True)
    tasks.run_until_running(quiet())
    assert "limits" in fetch(host_port(task, 8080), "/"), "nobody looks after it any more"
    assert tasks.describe(task) == lost


def test_an_instance_drains_until_it_is_active_again(own):
    tasks = Tasks(own)
    task = tasks.run_until_running(container())
    arn = tasks.instance()["containerInstanceArn"]

    def update(status):
        answer = own.ecs.update_container_instances_state(containerInstances=[arn], status=status)
        assert answer["failures"] == []

    update("DRAINING")
    definition = tasks.define(quiet())
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster."):
        own.ecs.run_task(taskDefinition=definition)
    assert tasks.start(definition, [arn])["failures"][0]["reason"] == "INACTIVE"
    assert own.ecs.list_container_instances(status="DRAINING")["containerInstanceArns"] == [arn]
    own.kill()
    own.start()
    assert tasks.instance()["status"] == "DRAINING", "also after a restart"
    assert tasks.describe(task)["lastStatus"] == "RUNNING"
    update("ACTIVE")
    tasks.running(tasks.run_one(definition))


def test_an_attribute_lasts_when_the_agent_registers_again(own):
    tasks = Tasks(own)
    arn = tasks.instance()["containerInstanceArn"]
    attribute = {"name": "stack", "value": "prod", "targetId": arn}
    own.ecs.put_attributes(attributes=[attribute])
    own.kill()
    own.start()
    listed = own.ecs.list_attributes(targetType="container-instance", attributeName="stack")
    assert listed["attributes"] == [attribute]
    constraint = {"type": "memberOf", "expression": "attribute:stack == prod"}
    tasks.running(tasks.run_one(tasks.define(quiet()), placementConstraints=[constraint]))
    own.ecs.delete_attributes(attributes=[{"name": "stack", "targetId": arn}])
    refusals = tasks.refused(tasks.define(quiet()), placementConstraints=[constraint])
    assert [it["reason"] for it in refusals] == ["MemberOf placement constraint unsatisfied."]


def test_a_machine_says_what_it_is(new_server):
    own = new_server(LONGSHORE_ZONE="shed", LONGSHORE_AVAILABLE_LOGGING_DRIVERS="json-file,fax")
    tasks = Tasks(own)
    attributes = {it["name"]: it.get("value") for it in tasks.instance()["attributes"]}
    cpus = os.cpu_count()
    assert attributes["ecs.os-type"] == "linux"
    assert attributes["ecs.availability-zone"] == "shed"
    assert attributes["ecs.instance-type"].startswith(f"{cpus}cpu.")
    assert attributes["io.longshore.cpu-count"] == str(cpus)
    assert attributes["io.longshore.host-name"] == socket.gethostname()
    assert 'driver="fax"' in own.log_text(), "a driver that the Engine lacks is named"
    assert not [it for it in attributes if it.endswith(".fax")]
    assert own.terminate() == 0, own.log_tail()

    # They are what it has at each start, and placement may ask for them.
    own.settings = {"LONGSHORE_ZONE": "barn", "LONGSHORE_INSTANCE_TYPE": "pizza-box"}
    own.start()
    constraint = {
        "type": "memberOf",
        "expression": f"attribute:ecs.availability-zone == barn and attribute:ecs.instance-type =~ pizza.*"
        f" and attribute:io.longshore.cpu-count >= {cpus}",
    }
    tasks.running(tasks.run_one(tasks.define(quiet()), placementConstraints=[constraint]))
