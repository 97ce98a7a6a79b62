"""The command line that others script against."""

import os
import stat

from server import longshore


def test_a_data_directory_in_use_is_a_clear_error(server, tmp_path):
    second = longshore("up", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir)
    assert second.returncode != 0
    assert "is in use by another process" in second.stderr
    assert server.data_dir in second.stderr
    assert second.stdout == ""


def test_an_address_in_use_is_a_clear_error(server, tmp_path):
    second = longshore("server", "--listen", server.listen, "--data-dir", str(tmp_path))
    assert second.returncode != 0
    assert f"cannot listen on {server.listen}" in second.stderr


def test_the_root_key_is_readable_by_its_owner_alone(server):
    mode = os.stat(os.path.join(server.data_dir, "root-key.json")).st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_chosen_root_key_is_used(new_server):
    chosen = {
        "LONGSHORE_ROOT_ACCESS_KEY_ID": "AKIDCHOSEN",
        "LONGSHORE_ROOT_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    }
    server = new_server(**chosen)
    assert server.aws_environment()["AWS_ACCESS_KEY_ID"] == "AKIDCHOSEN"
    assert server.ecs.describe_clusters()["clusters"]
    assert chosen["LONGSHORE_ROOT_SECRET_ACCESS_KEY"] not in server.log_tail()


def test_env_without_a_server_says_what_to_do(tmp_path):
    asked = longshore("env", "--data-dir", str(tmp_path))
    assert asked.returncode != 0
    assert "has a server been started" in asked.stderr


def test_an_agent_without_credentials_says_what_to_set(tmp_path):
    asked = longshore(
        "agent", "--endpoint", "http://127.0.0.1:1", "--data-dir", str(tmp_path),
        AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="",
    )  # fmt: skip
    assert asked.returncode != 0
    assert "AWS_ACCESS_KEY_ID" in asked.stderr


def test_options_that_make_no_sense_are_refused_by_name():
    for wrong in (
        ("up", "--account", "12"),
        ("up", "--region", "Not A Region"),
        ("up", "--listen", "nowhere"),
        ("up", "--cluster", "a b"),
        ("up", "--stop-timeout", "soon"),
    ):
        asked = longshore(*wrong)
        assert asked.returncode == 2, wrong
        assert wrong[1] in asked.stderr, wrong
