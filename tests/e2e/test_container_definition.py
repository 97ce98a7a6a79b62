"""Every member that a container definition had in June 2017, on a real container."""

import socket

import engine
from server import free_port
from tasks import container, container_of, fetch, quiet
from wait import wait_until

MIB = 1 << 20


def page_with(tasks, **members):
    """A container with these members: the page that it shows, and what Docker says of it."""
    task = tasks.run_until_running(container(**members))
    return tasks.page(task), tasks.inspect(task), task


def test_image_cpu_and_memory(tasks):
    page, inspected, _ = page_with(tasks, cpu=128, memory=100, memoryReservation=50)
    assert inspected["Config"]["Image"].startswith("longshore-probe")
    assert inspected["HostConfig"]["CpuShares"] == 128
    assert page["limits"]["memory_limit_bytes"] == 100 * MIB
    assert page["limits"]["memory_reservation_bytes"] == 50 * MIB


def test_no_cpu_means_two_shares(tasks):
    for members in ({}, {"cpu": 0}, {"cpu": 1}):
        _, inspected, _ = page_with(tasks, **members)
        assert inspected["HostConfig"]["CpuShares"] == 2


def test_entry_point_and_command(tasks):
    page, _, task = page_with(
        tasks, entryPoint=["/longshore-probe", "serve"], command=["--port", "8080"]
    )
    assert page["args"] == ["/longshore-probe", "serve", "--port", "8080"]
    inspected = tasks.inspect(task)["Config"]
    assert inspected["Entrypoint"] == ["/longshore-probe", "serve"]
    assert inspected["Cmd"] == ["--port", "8080"]


def test_environment(tasks):
    page, _, _ = page_with(
        tasks, environment=[{"name": "A", "value": "one two"}, {"name": "B", "value": ""}]
    )
    assert page["env"]["A"] == "one two"
    assert page["env"]["B"] == ""
    assert page["env"]["BAKED_IN"] == "image"


def test_hostname_user_and_working_directory(tasks):
    page, _, _ = page_with(tasks, hostname="lighthouse", user="1234:567", workingDirectory="/some/where")
    assert page["hostname"] == "lighthouse"
    assert (page["uid"], page["gid"]) == (1234, 567)
    assert page["cwd"] == "/some/where"


def test_disable_networking_leaves_only_the_loopback(tasks):
    task = tasks.run_until_stopped(quiet(command=["show"], disableNetworking=True))
    assert container_of(task)["exitCode"] == 0
    assert tasks.inspect(task)["Config"]["NetworkDisabled"] is True
    (listed,) = [it for it in tasks.logs(task).split('"interfaces"')[1:]]
    assert '"lo"' in listed
    assert "eth0" not in listed


def test_privileged(tasks):
    definition = tasks.define(container(privileged=True))
    plain, _, _ = page_with(tasks)
    sys_admin = 1 << 21
    assert not int(plain["capabilities"], 16) & sys_admin

    task = tasks.run_one(definition)
    if not engine.can_run("--privileged"):
        # A machine that lacks a capability itself cannot give all away; it was asked for anyway.
        reason = container_of(tasks.stopped(task))["reason"]
        assert reason.startswith("CannotStartContainerError: ")
    else:
        assert int(tasks.page(tasks.running(task))["capabilities"], 16) & sys_admin
    assert tasks.inspect(task)["HostConfig"]["Privileged"] is True


def test_readonly_root_filesystem(tasks):
    plain, _, _ = page_with(tasks)
    assert plain["root_is_writable"]
    page, inspected, _ = page_with(tasks, readonlyRootFilesystem=True)
    assert inspected["HostConfig"]["ReadonlyRootfs"] is True
    assert not page["root_is_writable"]


def test_dns_servers_search_domains_and_extra_hosts(tasks):
    _, _, task = page_with(
        tasks,
        dnsServers=["192.0.2.53", "192.0.2.54"],
        dnsSearchDomains=["harbour.example"],
        extraHosts=[{"hostname": "pier", "ipAddress": "192.0.2.7"}],
    )
    resolv = tasks.get(task, "/file", path="/etc/resolv.conf").split("\n")
    assert "nameserver 192.0.2.53" in resolv
    assert "nameserver 192.0.2.54" in resolv
    assert "search harbour.example" in resolv
    hosts = [line.split() for line in tasks.get(task, "/file", path="/etc/hosts").split("\n")]
    assert ["192.0.2.7", "pier"] in hosts


def test_docker_security_options(tasks):
    plain, _, _ = page_with(tasks)
    page, inspected, _ = page_with(tasks, dockerSecurityOptions=["no-new-privileges"])
    assert inspected["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert (plain["no_new_privileges"], page["no_new_privileges"]) == (False, True)


def test_docker_labels_stand_beside_those_of_ecs(tasks):
    labels = {"com.example.team": "harbour", "empty": "", "com.amazonaws.ecs.container-name": "forged"}
    _, inspected, _ = page_with(tasks, dockerLabels=labels)
    found = inspected["Config"]["Labels"]
    assert found["com.example.team"] == "harbour"
    assert found["empty"] == ""
    assert found["com.amazonaws.ecs.container-name"] == "main"


def test_ulimits(tasks):
    page, _, _ = page_with(
        tasks,
        ulimits=[
            {"name": "nofile", "softLimit": 1000, "hardLimit": 2000},
            {"name": "core", "softLimit": 0, "hardLimit": 0},
        ],
    )
    assert page["ulimits"]["Max open files"] == ["1000", "2000"]
    assert page["ulimits"]["Max core file size"] == ["0", "0"]


def test_log_configuration(tasks):
    _, inspected, _ = page_with(
        tasks, logConfiguration={"logDriver": "json-file", "options": {"max-size": "1m", "max-file": "2"}}
    )
    assert inspected["HostConfig"]["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-size": "1m", "max-file": "2"},
    }


def test_what_a_container_prints_is_in_its_log(tasks):
    _, _, task = page_with(tasks)
    wait_until(lambda: "serving on port 8080" in tasks.logs(task), 10, "the log has the line")


def test_network_mode_host(tasks):
    port = free_port()
    definition = tasks.define(
        container(
            command=["serve", "--port", str(port)],
            portMappings=[{"containerPort": port, "hostPort": port}],
        ),
        networkMode="host",
    )
    task = tasks.running(tasks.run_one(definition))
    assert tasks.inspect(task)["HostConfig"]["NetworkMode"] == "host"
    assert str(port) in fetch(port, "/")
    assert str(port) in tasks.remaining()["PORTS"]


def test_network_mode_host_takes_the_container_port(tasks):
    port = free_port(socket.SOCK_STREAM)
    definition = tasks.define(quiet(portMappings=[{"containerPort": port}]), networkMode="host")
    tasks.run_one(definition)
    assert str(port) in tasks.remaining()["PORTS"]


def test_network_mode_none(tasks):
    definition = tasks.define(quiet(command=["show"]), networkMode="none")
    task = tasks.stopped(tasks.run_one(definition))
    assert tasks.inspect(task)["HostConfig"]["NetworkMode"] == "none"
    assert "eth0" not in tasks.logs(task)


def test_registration_fills_in_what_was_left_out(tasks, server):
    name = tasks.define(container(environment=[]))
    definition = tasks.ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
    assert definition["taskDefinitionArn"] == server.arn(f"task-definition/{name}")
    assert definition["status"] == "ACTIVE"
    (found,) = definition["containerDefinitions"]
    assert found["cpu"] == 0
    assert found["essential"] is True
    assert found["environment"] == found["mountPoints"] == found["volumesFrom"] == []
    assert found["portMappings"] == [{"containerPort": 8080, "hostPort": 0, "protocol": "tcp"}]
