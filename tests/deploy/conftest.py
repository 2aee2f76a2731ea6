"""The product, installed once for all tests of deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.installed import Installed, install, open_folder


@pytest.fixture(scope="session")
def installed() -> Iterator[Installed]:
    """The wheel, built and unpacked."""
    with open_folder() as folder:
        yield install(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for a service of another user."""
    with open_folder() as folder:
        yield folder
