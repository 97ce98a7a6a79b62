"""A call marked with a clientToken, made again. By hand, since the SDK of 2017 has no such member."""

import json

import engine
from tasks import quiet
from test_wire import Raw, refused


def test_the_same_call_gives_the_same_tasks_also_after_a_crash(new_server):
    server = new_server()
    ecs = server.ecs
    family = f"{engine.FAMILY_PREFIX}-once"
    ecs.register_task_definition(family=family, containerDefinitions=[quiet()])
    call = {"taskDefinition": family, "count": 2, "clientToken": "a-call"}

    def run(**changed):
        return Raw(server).call("RunTask", {**call, **changed})

    def arns(answer):
        status, _, text = answer
        assert status == 200, text
        return sorted(task["taskArn"] for task in json.loads(text)["tasks"])

    first = arns(run())
    assert len(first) == 2
    assert arns(run()) == first
    server.kill()
    server.start()
    assert arns(run()) == first
    assert sorted(ecs.list_tasks()["taskArns"]) == first, "and no others"
    assert arns(run(clientToken="another-call")) != first
    message = refused(run(count=3), "ConflictException")
    assert "clientToken" in message
