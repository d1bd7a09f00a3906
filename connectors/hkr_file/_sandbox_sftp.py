"""The sandbox's SFTP server: its own host key, one account, one folder, and ways to fail in mid-transfer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh

FAULTS = (
    "cut_in_write",  # half of a file is written, then the connection is cut
    "cut_before_rename",  # the connection is cut before a file gets its name
    "cut_after_rename",  # a file has its name (a marker not yet), then the connection is cut
    "cut_after_marker",  # a marker has its name, then the connection is cut: all is done, and nobody says so
    "short_write",  # half of a file is written, and the server says that all is well
    "no_space",  # nothing can be written
)


async def listen(
    state: Path, root: Path, login: tuple[str, str], take: Callable[[str], bool], authorized: str, port: int
) -> asyncssh.SSHAcceptor:
    """Start the server on this machine and write its port and host key into `sftp.json`."""

    class Server(asyncssh.SSHServer):
        """One account."""

        def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - everybody must log in
            return True

        def password_auth_supported(self) -> bool:
            return not authorized

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == login

    class Files(_Files):
        """This sandbox's folder and faults."""

        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, root, take)

    keys: dict[str, Any] = {"authorized_client_keys": authorized} if authorized else {}
    host_key = _host_key(state / "host_key")
    server = await asyncssh.listen(
        "127.0.0.1", port, server_factory=Server, server_host_keys=[host_key], sftp_factory=Files, **keys
    )
    public = host_key.export_public_key().decode().strip()
    part = state / "sftp.part"
    part.write_text(json.dumps({"port": server.get_port(), "host_key": " ".join(public.split()[:2])}), "utf-8")
    part.replace(state / "sftp.json")
    return server


def _host_key(file: Path) -> asyncssh.SSHKey:
    if not file.exists():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(file))
    return asyncssh.read_private_key(str(file))


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path, take: Callable[[str], bool]) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._take = take

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if self._take("no_space"):
            raise asyncssh.SFTPFailure("no space left")
        if self._take("cut_in_write"):
            super().write(file_obj, offset, data[: len(data) // 2])
            self._cut()
        if self._take("short_write"):
            super().write(file_obj, offset, data[: len(data) // 2])
            return len(data)
        written = super().write(file_obj, offset, data)
        assert isinstance(written, int)
        return written

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        marker = newpath.endswith(b".ok")
        if not marker and self._take("cut_before_rename"):
            self._cut()
        if os.path.lexists(self.map_path(newpath)):
            raise asyncssh.SFTPFailure("the name is taken")
        Path(os.fsdecode(self.map_path(oldpath))).rename(os.fsdecode(self.map_path(newpath)))
        if self._take("cut_after_marker" if marker else "cut_after_rename"):
            self._cut()

    def _cut(self) -> None:
        self.channel.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("cut")
