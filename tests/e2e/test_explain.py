"""Why a task was not placed, and what would have to change: explain, failures, snapshot."""

import json
import os
import stat

import pytest

import server as server_module
from server import free_port
from tasks import quiet

# Less than that is asked for in these tests, so that the machine of any size has it.
ROOM_MIB = 96

PLACED, UNPLACED, ERROR = 0, 3, 1


@pytest.fixture
def longshore(server):
    """Runs the command line against the shared server, as `eval "$(longshore env)"` sets it up."""

    def run(*arguments, **variables):
        return server_module.longshore(*arguments, **{**server.aws_environment(), **variables})

    return run


def test_what_was_in_the_way_is_recorded_explained_and_gone_when_it_is_changed(tasks, longshore, tmp_path):
    before, after = str(tmp_path / "before"), str(tmp_path / "after")
    large = tasks.remaining()["MEMORY"] - ROOM_MIB
    filler = tasks.running(tasks.run_one(tasks.define(quiet(memory=large))))
    definition = tasks.define(quiet(memory=ROOM_MIB + 32))
    family = definition.partition(":")[0]

    assert [it["reason"] for it in tasks.refused(definition, startedBy="cron")] == ["RESOURCE:MEMORY"]
    tasks.refused(definition, startedBy="cron", count=3)
    failures = json.loads(longshore("failures", "--json").stdout)["failures"]
    (failure,) = [it for it in failures if it["taskDefinitionArn"].endswith(definition)]
    assert failure["reasons"] == [{"reason": "RESOURCE:MEMORY", "count": 1}]
    assert (failure["calls"], failure["count"]) == (2, 3)
    assert (failure["group"], failure["startedBy"]) == (f"family:{family}", "cron")
    shown = longshore("failures")
    assert shown.returncode == 0
    (line,) = [it for it in shown.stdout.splitlines() if definition in it]
    assert "cron" in line and "RESOURCE:MEMORY on 1 instance" in line

    asked = longshore("explain", definition)
    assert (asked.returncode, asked.stderr) == (UNPLACED, "")
    assert "the task would not be placed" in asked.stdout
    assert "free 32 MiB of memory" in asked.stdout
    assert longshore("snapshot", before).returncode == 0
    assert same(longshore("explain", definition, "--snapshot", before), asked)

    tasks.stop(filler)
    tasks.stopped(filler)
    asked = longshore("explain", definition)
    assert (asked.returncode, asked.stderr) == (PLACED, "")
    assert "the task would be placed" in asked.stdout
    assert longshore("snapshot", after).returncode == 0
    assert same(longshore("explain", definition, "--snapshot", after), asked)
    assert longshore("explain", definition, "--snapshot", before).returncode == UNPLACED
    tasks.running(tasks.run_one(definition))


def same(one, other):
    """Whether both say the same, of whatever moment."""
    rest = [answer.stdout.splitlines()[1:] for answer in (one, other)]
    return rest[0] == rest[1] and one.returncode == other.returncode


def test_nothing_is_started_and_count_goes_beyond_what_run_task_takes(tasks, longshore):
    each = tasks.remaining()["MEMORY"] // 20
    definition = tasks.define(quiet(memory=each))
    asked = longshore("explain", definition, "--count", "30", "--all", "--json")
    answer = json.loads(asked.stdout)
    assert asked.returncode == UNPLACED
    assert (len(answer["placements"]), answer["unplaced"], answer["suitable"]) == (20, 10, 0)
    (excluded,) = answer["excluded"]
    assert excluded["containerInstanceArn"] == tasks.instance()["containerInstanceArn"]
    assert [it["reason"] for it in excluded["causes"]] == ["RESOURCE:MEMORY"]
    assert tasks.ecs.list_tasks(family=definition.partition(":")[0])["taskArns"] == []
    assert tasks.instance()["pendingTasksCount"] == 0


def test_overrides_constraints_and_strategies_count_as_in_run_task(tasks, longshore):
    definition = tasks.define(quiet())
    overrides = json.dumps({"containerOverrides": [{"name": "main", "memory": 10**9}]})
    asked = longshore("explain", definition, "--overrides", overrides)
    assert asked.returncode == UNPLACED and "memory" in asked.stdout
    windows = "memberOf:attribute:ecs.os-type == windows"
    asked = longshore("explain", definition, "--constraint", windows, "--strategy", "binpack:memory")
    assert asked.returncode == UNPLACED
    assert "ecs.os-type" in asked.stdout and "windows" in asked.stdout
    asked = longshore(
        "explain", definition, "--constraint", "distinctInstance", "--strategy", "random", "--count", "2"
    )  # fmt: skip
    assert asked.returncode == UNPLACED and "1 of 2 tasks would be placed" in asked.stdout
    asked = longshore("explain", definition, "--launch-type", "EXTERNAL", "--group", "g")
    assert asked.returncode in (PLACED, UNPLACED), asked.stderr


@pytest.mark.parametrize(
    "arguments, status, says",
    [
        (["nothing-of-the-kind"], ERROR, "ClientException"),
        (["DEFINITION", "--cluster", "nowhere"], ERROR, "ClusterNotFoundException"),
        (["DEFINITION", "--constraint", "memberOf:attribute:a =="], ERROR, "InvalidParameterException"),
        (["DEFINITION", "--strategy", "tallest"], ERROR, "InvalidParameterException"),
        (["DEFINITION", "--overrides", '{"memori": 1}'], ERROR, "memori"),
        (["DEFINITION", "--overrides", "{"], 2, "this is no JSON: EOF"),
        (["DEFINITION", "--count", "10001"], 2, "--count"),
        (["DEFINITION", "--endpoint", "127.0.0.1:8327"], 2, "--endpoint"),
        (["DEFINITION", "--snapshot", "/nowhere/at/all"], ERROR, "the snapshot /nowhere/at/all"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_said(tasks, longshore, arguments, status, says):
    definition = tasks.define(quiet())
    asked = longshore("explain", *[definition if it == "DEFINITION" else it for it in arguments])
    assert (asked.returncode, asked.stdout) == (status, "")
    assert says in asked.stderr


def test_an_expression_that_cannot_be_read_is_said_with_its_place(tasks, longshore):
    asked = longshore("explain", tasks.define(quiet()), "--constraint", "memberOf:attribute:a == ")
    assert "at offset 14: expected a value" in asked.stderr


def test_the_exit_codes_are_told(longshore):
    assert "3 when some would not" in longshore("explain", "--help").stdout


def test_a_server_that_is_not_there_or_knows_another_key_is_a_clear_error(longshore):
    for command in (["explain", "web"], ["failures"], ["snapshot", "/tmp/never-made"]):
        address = f"http://127.0.0.1:{free_port()}"
        asked = longshore(*command, "--endpoint", address)
        assert asked.returncode == ERROR
        assert f"the server at {address}: no answer" in asked.stderr
        asked = longshore(*command, AWS_ACCESS_KEY_ID="AKIAOTHER")
        assert asked.returncode == ERROR
        assert "UnrecognizedClientException" in asked.stderr and "longshore env" in asked.stderr
        asked = longshore(*command, AWS_ENDPOINT_URL_ECS="")
        assert asked.returncode == ERROR
        assert "--endpoint" in asked.stderr
    assert not os.path.exists("/tmp/never-made")


def test_a_snapshot_is_its_owners_and_a_damaged_one_is_refused_with_the_place(tasks, longshore, tmp_path):
    definition = tasks.define(quiet(environment=[{"name": "PASSWORD", "value": "hunter2"}]))
    path = tmp_path / "snapshot"
    asked = longshore("snapshot", str(path), "--cluster", "default")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "1 cluster, 1 container instance" in asked.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [it.name for it in tmp_path.iterdir()] == ["snapshot"]

    written = path.read_bytes()
    at = written.index(b"hunter2")
    line = written.rindex(b"\n", 0, at) + 1
    path.write_bytes(written.replace(b"hunter2", b"hunter3"))
    asked = longshore("explain", definition, "--snapshot", str(path))
    assert asked.returncode == ERROR
    assert f"damaged at byte {line}" in asked.stderr
    path.write_bytes(written[:at])
    asked = longshore("explain", definition, "--snapshot", str(path))
    assert asked.returncode == ERROR
    assert f"it ends at byte {at}" in asked.stderr
    path.write_bytes(written)
    assert longshore("explain", definition, "--snapshot", str(path)).returncode == PLACED
    asked = longshore("explain", definition, "--snapshot", str(path), "--cluster", "other")
    assert asked.returncode == ERROR and "ClusterNotFoundException" in asked.stderr
    assert longshore("snapshot", str(path), "--cluster", "nowhere").returncode == ERROR
    assert path.read_bytes() == written, "what was there stays when a new one cannot be had"
