"""Port mappings: fixed and chosen by Docker, TCP and UDP, and that they answer."""

import socket

from server import free_port
from tasks import container, container_of, fetch, host_port
from wait import wait_until


def bindings(task):
    return {
        (it["containerPort"], it["protocol"]): it["hostPort"]
        for it in container_of(task)["networkBindings"]
    }


def echo(port, text=b"hello"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.settimeout(0.5)

        def answered():
            it.sendto(text, ("127.0.0.1", port))
            try:
                return it.recv(100) == text
            except OSError:
                return False

        return wait_until(answered, 10, f"UDP port {port} answers")


def test_a_fixed_tcp_port_is_that_port(tasks):
    port = free_port()
    task = tasks.run_until_running(
        container(portMappings=[{"containerPort": 8080, "hostPort": port, "protocol": "tcp"}])
    )
    assert bindings(task) == {(8080, "tcp"): port}
    assert "limits" in fetch(port, "/")


def test_a_fixed_udp_port_is_that_port(tasks):
    port = free_port(socket.SOCK_DGRAM)
    task = tasks.run_until_running(
        container(
            command=["serve", "--udp", "5300"],
            portMappings=[{"containerPort": 5300, "hostPort": port, "protocol": "udp"}],
        )
    )
    assert bindings(task) == {(5300, "udp"): port}
    assert echo(port)


def test_dynamic_tcp_and_udp_ports_are_told_and_answer(tasks):
    task = tasks.run_until_running(
        container(
            command=["serve", "--udp", "8080"],
            portMappings=[
                {"containerPort": 8080, "hostPort": 0},
                {"containerPort": 8080, "protocol": "udp"},
            ],
        )
    )
    assert set(bindings(task)) == {(8080, "tcp"), (8080, "udp")}
    assert "limits" in tasks.get(task, "/")
    assert echo(host_port(task, 8080, "udp"))


def test_copies_with_dynamic_ports_get_ports_of_their_own(tasks):
    started = tasks.run(tasks.define(container()), count=3)
    ports = {host_port(tasks.running(task), 8080) for task in started}
    assert len(ports) == 3
    for port in ports:
        assert "limits" in fetch(port, "/")


def test_several_ports_of_one_container(tasks):
    fixed = free_port()
    task = tasks.run_until_running(
        container(portMappings=[{"containerPort": 8080, "hostPort": fixed}, {"containerPort": 9090}])
    )
    assert set(bindings(task)) == {(8080, "tcp"), (9090, "tcp")}
    assert bindings(task)[8080, "tcp"] == fixed
