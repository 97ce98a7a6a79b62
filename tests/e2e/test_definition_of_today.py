"""Members of task and container definitions that joined after June 2017, seen from inside."""

import json
import os

import pytest

import engine
import metadata
import registry
from tasks import Tasks, container, container_of, quiet
from wait import wait_until

MIB = 1 << 20


def run(tasks, *containers, **definition):
    """A RUNNING task of a definition with these members."""
    return tasks.running(tasks.run_one(tasks.define(*containers, **definition)))


def linux(**parameters):
    return container(linuxParameters=parameters)


def mount(tasks, task, path):
    """The options of a mount that the container sees; None where there is none."""
    lines = [line.split() for line in tasks.get(task, "/file", path="/proc/self/mounts").splitlines()]
    options = [line[3].split(",") for line in lines if len(line) > 3 and line[1] == path]
    return options[-1] if options else None


def described(tasks, task):
    answer = tasks.ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    return answer["taskDefinition"]


def test_a_health_check_runs_in_the_container(tasks):
    page = "/write?path=/checked&text=well"
    check = {
        "command": ["CMD", "/longshore-probe", "connect", "127.0.0.1", "8080", page],
        "interval": 5,
        "timeout": 4,
        "retries": 2,
        "startPeriod": 1,
    }
    task = run(tasks, container(healthCheck=check))

    def is_well():
        return tasks.inspect(task)["State"]["Health"]["Status"] == "healthy"

    wait_until(is_well, 60, "Docker says that the container is healthy")
    assert tasks.get(task, "/file", path="/checked") == "well"
    seen = tasks.inspect(task)["Config"]["Healthcheck"]
    assert seen["Interval"] == 5_000_000_000
    assert (seen["Timeout"], seen["Retries"], seen["StartPeriod"]) == (4_000_000_000, 2, 1_000_000_000)
    assert described(tasks, task)["containerDefinitions"][0]["healthCheck"] == check


def test_capabilities_are_given_and_taken(tasks):
    chown, sys_ptrace = 1 << 0, 1 << 19
    plain = int(tasks.page(run(tasks, container()))["capabilities"], 16)
    assert plain & chown and not plain & sys_ptrace
    changed = run(tasks, linux(capabilities={"add": ["SYS_PTRACE"], "drop": ["CHOWN"]}))
    changed = int(tasks.page(changed)["capabilities"], 16)
    assert changed & sys_ptrace and not changed & chown
    none = run(tasks, linux(capabilities={"drop": ["ALL"]}))
    assert int(tasks.page(none)["capabilities"], 16) == 0


def test_a_device_is_there_with_the_permissions_given(tasks):
    here = [it for it in ("/dev/loop-control", "/dev/fuse", "/dev/net/tun") if os.path.exists(it)]
    assert here, "this machine has none of the devices that containers lack by default"

    def refusal_of_writing(**device):
        task = run(tasks, linux(devices=[{"hostPath": here[0], **device}]))
        path = device.get("containerPath", here[0])
        with pytest.raises(AssertionError) as refused:
            tasks.get(task, "/write", path=path, text="x")
        return str(refused.value)

    # Nobody may write a file's text to such a device; the cgroup forbids to open it at all.
    assert "Operation not permitted" not in refusal_of_writing()
    assert "No such file" not in refusal_of_writing(containerPath="/dev/elsewhere")
    assert "Operation not permitted" in refusal_of_writing(permissions=["read"])


def test_an_init_process_stands_before_the_program(tasks):
    command = "/proc/1/cmdline"
    assert "docker-init" not in tasks.get(run(tasks, container()), "/file", path=command)
    with_init = run(tasks, linux(initProcessEnabled=True))
    assert "docker-init" in tasks.get(with_init, "/file", path=command)


def test_shared_memory_and_file_systems_in_memory_have_their_sizes(tasks):
    task = run(
        tasks,
        linux(
            sharedMemorySize=16,
            tmpfs=[{"containerPath": "/scratch", "size": 8, "mountOptions": ["noexec", "mode=700"]}],
        ),
    )
    assert "size=16384k" in mount(tasks, task, "/dev/shm")
    scratch = mount(tasks, task, "/scratch")
    assert {"size=8192k", "mode=700", "noexec"} <= set(scratch)
    assert tasks.get(task, "/write", path="/scratch/file", text="x") == "written\n"


def test_swap_is_limited_beside_memory(tasks):
    task = run(tasks, container(memory=64, linuxParameters={"maxSwap": 32, "swappiness": 10}))
    assert tasks.inspect(task)["HostConfig"]["MemorySwap"] == 96 * MIB
    if tasks.page(task)["limits"]["cgroup_version"] == 2:
        # There swap is counted by itself, and there is no swappiness.
        assert int(tasks.get(task, "/file", path="/sys/fs/cgroup/memory.swap.max")) == 32 * MIB
    else:
        group = "/sys/fs/cgroup/memory"
        both = tasks.get(task, "/file", path=f"{group}/memory.memsw.limit_in_bytes")
        assert int(both) == 96 * MIB
        assert int(tasks.get(task, "/file", path=f"{group}/memory.swappiness")) == 10


def test_system_controls_are_set_in_the_container_s_namespaces(tasks):
    controls = [
        {"namespace": "net.core.somaxconn", "value": "613"},
        {"namespace": "kernel.msgmax", "value": "8193"},
    ]
    task = run(tasks, container(systemControls=controls))
    assert tasks.get(task, "/file", path="/proc/sys/net/core/somaxconn") == "613\n"
    assert tasks.get(task, "/file", path="/proc/sys/kernel/msgmax") == "8193\n"
    assert described(tasks, task)["containerDefinitions"][0]["systemControls"] == controls


def test_a_terminal_and_an_open_input(tasks):
    def stdin(**members):
        return tasks.page(run(tasks, container(**members)))["stdin"]

    assert stdin() == "/dev/null"
    assert stdin(interactive=True).startswith("pipe:")
    assert stdin(pseudoTerminal=True, interactive=True).startswith("/dev/pts/")


def test_containers_may_see_the_host_s_processes(tasks):
    name = "/proc/1/comm"
    assert tasks.get(run(tasks, container()), "/file", path=name) == "longshore-probe\n"
    with open(name) as host:
        task = run(tasks, container(), pidMode="host")
        assert tasks.get(task, "/file", path=name) == host.read()
    assert described(tasks, task)["pidMode"] == "host"


def test_containers_may_share_the_host_s_memory_or_have_none(tasks):
    mark = f"/dev/shm/{engine.FAMILY_PREFIX}"
    with open(mark, "w") as file:
        file.write("of the host")
    try:
        task = run(tasks, container(), ipcMode="host")
        assert tasks.get(task, "/file", path=mark) == "of the host"
    finally:
        os.remove(mark)
    assert mount(tasks, run(tasks, container(), ipcMode="none"), "/dev/shm") is None


def test_a_platform_is_honoured_in_placement(tasks):
    architecture = {"x86_64": "X86_64", "aarch64": "ARM64"}[os.uname().machine]
    other = {"X86_64": "ARM64", "ARM64": "X86_64"}[architecture]

    def platform(architecture):
        return {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"}

    run(tasks, container(), runtimePlatform=platform(architecture))
    (failure,) = tasks.refused(tasks.define(container(), runtimePlatform=platform(other)))
    assert failure["reason"] == "ATTRIBUTE"


@pytest.fixture
def secrets_file(tmp_path):
    path = tmp_path / "secrets.json"

    def write(**secrets):
        path.touch(mode=0o600)
        path.write_text(json.dumps(secrets))
        return str(path)

    return write


@pytest.fixture
def tasks_with(new_server, secrets_file):
    """Tasks on a server of the test's own with these secrets."""
    made = []

    def make(**secrets):
        made.append(Tasks(new_server(LONGSHORE_SECRETS_FILE=secrets_file(**secrets))))
        return made[-1]

    yield make
    for it in made:
        it.close()


def secret(name, value_from):
    return {"name": name, "valueFrom": value_from}


def test_secrets_are_in_the_environment_and_nowhere_else(tasks_with, secrets_file):
    tasks = tasks_with(db={"user": "app", "password": "hunter2"}, token="t0ken")
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3:password::"
    definition = tasks.define(container(secrets=[secret("PASSWORD", arn), secret("TOKEN", "token")]))
    task = tasks.running(tasks.run_one(definition))
    env = tasks.page(task)["env"]
    assert (env["PASSWORD"], env["TOKEN"]) == ("hunter2", "t0ken")

    secrets_file(db={"password": "rotated"}, token="t0ken")
    assert tasks.page(tasks.running(tasks.run_one(definition)))["env"]["PASSWORD"] == "rotated"

    shown = json.dumps([described(tasks, task), tasks.describe(task)], default=str)
    with open(os.path.join(tasks.server.data_dir, "longshore.redb"), "rb") as journal:
        kept = journal.read()
    for value in ("hunter2", "t0ken", "rotated"):
        assert value not in shown
        assert value.encode() not in kept
        assert value not in tasks.server.log_text()


def test_a_task_without_its_secret_never_starts(tasks_with):
    tasks = tasks_with(token="t0ken")
    task = tasks.run_until_stopped(quiet(secrets=[secret("PASSWORD", "db")]))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == (
        "ResourceInitializationError: unable to pull secrets or registry auth: "
        "the secret db is not in the secrets file"
    )
    assert "exitCode" not in container_of(task)


def test_secrets_reach_the_log_driver(tasks_with):
    tasks = tasks_with(label="hunter2")
    plain = {"max-size": "1m"}
    log = {"logDriver": "json-file", "options": plain, "secretOptions": [secret("tag", "label")]}
    task = tasks.run_until_running(quiet(logConfiguration=log))
    inspected = tasks.inspect(task)
    assert inspected["HostConfig"]["LogConfig"]["Config"] == {**plain, "tag": "hunter2"}
    assert metadata.Inside(inspected).ask()["LogOptions"] == plain, "the container is told no secret"


def test_secrets_need_a_file(tasks):
    with pytest.raises(tasks.ecs.exceptions.ClientException) as refused:
        tasks.define(container(secrets=[secret("PASSWORD", "db")]))
    assert "--secrets-file" in str(refused.value)

def test_a_login_to_a_registry_comes_from_a_secret(tasks_with):
    tasks = tasks_with(
        good={"username": "puller", "password": "hunter2"},
        bad={"username": "puller", "password": "wrong"},
    )

    def task(**members):
        members = {"image": private.image, **members}
        return tasks.run_one(tasks.define(container(**members)))

    def with_login(name):
        return task(repositoryCredentials={"credentialsParameter": name})

    with registry.private(engine.IMAGE, "puller", "hunter2") as private:
        try:
            for refused in (task(), with_login("bad")):
                reason = container_of(tasks.stopped(refused))["reason"]
                assert reason.startswith("CannotPullContainerError: ")
            assert private.logins == 0
            running = tasks.running(with_login("good"))
            assert private.logins > 0
            assert tasks.page(running)["env"]["BAKED_IN"] == "image"
        finally:
            tasks.close()
            engine.remove("rmi", [private.image])
    assert "hunter2" not in tasks.server.log_text()
