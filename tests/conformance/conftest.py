"""Fixtures: one control plane for the session, and what it claims of the ECS API."""

import os
import shutil

import botocore
import pytest

import control_plane as control_planes
from world import World

# Nothing of the machine's own AWS configuration, and no proxy, comes between.
os.environ.update(NO_PROXY="*", no_proxy="*", AWS_CONFIG_FILE=os.devnull)


def pytest_sessionstart():
    if not shutil.which(control_planes.BINARY):
        pytest.exit(f"there is no {control_planes.BINARY}: set LONGSHORE_BIN, or use scripts/test", 2)


def pytest_report_header():
    return f"the service model of botocore {botocore.__version__}, {control_planes.BINARY}"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    with control_planes.ControlPlane(tmp_path_factory.mktemp("control_plane")) as it:
        yield it


@pytest.fixture(scope="session")
def world(control_plane):
    """A control plane with something of everything in it."""
    with World(control_plane) as it:
        yield it
