"""Waiting for a condition, never for a time."""

import time


def wait_until(condition, seconds, what):
    """The first true value of the condition; a failure that says what was awaited, after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.1)
