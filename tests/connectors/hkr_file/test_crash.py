"""Killed with kill -9 at every step of a transfer: the next run finds out what is there, and nothing is booked twice.

The child counts the steps of the place it writes to – before each, in the middle of each write, between the two halves
of a folder's rename, after each – and ends itself at one of them. The parent then asks a new client and the sandbox.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from connectors.hkr_file.places import LocalFolder
from connectors.hkr_file.sftp import RemoteFolder
from kiezbruecke.connector import Batch, Found, NotThere

from .conftest import Desk, order

STEPS = ("names", "read", "write", "rename", "remove")


class _Steps:
    """Counts moments, and kills this process at one."""

    def __init__(self, last: int) -> None:
        self.left = last

    def pass_by(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def watch(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            self.pass_by()
            if name == "write":
                place, file, body = given
                real(place, file, body[: len(body) // 2])
                self.pass_by()
            answer = real(*given, **named)
            self.pass_by()
            return answer

        setattr(owner, name, watched)


def killed_at(desk: Desk, batch: Batch, messages: list[Any], number: int) -> bool:
    """Send in a child that dies at moment `number`; False where it passed fewer and came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            steps = _Steps(number)
            for owner in (LocalFolder, RemoteFolder):
                for name in STEPS:
                    steps.watch(owner, name)
            steps.watch(os, "link")
            desk.target.send(batch, messages)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child tells, and goes nowhere else
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


@pytest.mark.parametrize("over", ["folder", "sftp"])
def test_a_kill_at_any_step_is_found_out(open_desk: Callable[..., Desk], over: str) -> None:
    """`look_up` is true of what the sandbox has, and the same bytes again are booked once."""
    desk, number, found = open_desk(over), 0, set()
    while True:
        reference = f"KK26-090416-{number:05d}-F1"
        messages, batch_id = [order(reference)], f"KK26-S-{number:04d}"
        batch = desk.batch(*messages, id=batch_id)
        was_killed = killed_at(desk, batch, messages, number)
        [said] = desk.look_up(batch, *messages)
        there = batch_id in desk.batches()

        assert isinstance(said, Found if there else NotThere), f"moment {number}"
        if not there:
            desk.send(*messages, id=batch_id)
        [again] = desk.look_up(batch, *messages)
        assert isinstance(again, Found), f"moment {number}"
        assert desk.batches()[batch_id] == {"id": batch_id, "code": "", "times": 1}, f"moment {number}"
        assert desk.received()[reference]["events"] == "FESTGELEGT", f"moment {number}"
        found.add(there)
        if not was_killed:
            break
        number += 1

    assert number >= 18
    assert found == {True, False}
