"""What is said of a store that fails: enough to mend it, and nothing of where it is."""

import pytest
from sqlalchemy.exc import OperationalError

from gateway.store.failures import cause

REFUSED = "Connection refused Is the server running on that host and accepting TCP/IP connections?"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            f'connection failed: connection to server at "192.0.2.7", port 5432 failed: {REFUSED}',
            f"connection failed: {REFUSED}",
        ),
        (
            'connection to server at "db.internal" (192.0.2.7), port 5432 failed: FATAL: password authentication '
            'failed for user "gateway_acme"',
            "FATAL: password authentication failed for user",
        ),
        ('connection to server on socket "/run/pg/.s.PGSQL.5432" failed: No such file', "No such file"),
        ("disk is full", "disk is full"),
    ],
)
def test_the_database_s_words_without_its_address(said: str, told: str) -> None:
    """Neither host, port, socket nor user: whoever asks after our health may be anybody."""
    assert cause(OperationalError("INSERT", {}, Exception(said))) == told
