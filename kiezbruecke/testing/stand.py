"""Where a connector is tried: its sandbox as a process, an address where nobody is, and one where all is silent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

import pytest

from kiezbruecke.connector import (
    BatchTarget,
    Connection,
    Context,
    Manifest,
    Message,
    Source,
    Target,
    manifests,
    open_source,
    open_target,
    probe,
)
from kiezbruecke.records import Process
from kiezbruecke.sandbox import start
from kiezbruecke.troubles import Cause, trouble_of

LOGIN, SECRET = "konto-kanari", "geheim-kanari"
IMPATIENT = {"connect_timeout": 1, "read_timeout": 1, "deadline": 2}
SOON = 15.0  # seconds within which an impatient client has given up, on a busy machine too
FOREIGN = "http://foreign.example"


@dataclass(frozen=True)
class Counterpart:
    """A system to talk to: how to get there, and how to let it fail (`arm` a fault of its sandbox)."""

    connection: Connection
    arm: Callable[[str], None]


@dataclass(frozen=True)
class Stand:
    """A connector, and how the suite finds somebody to talk to: by default its sandbox, with these options.

    `extra` is what its connection holds besides the address, `with_` what a route says under `with:`. `begin` replaces
    the sandbox, for systems that need none; `gone` then says how such a system looks when it is out of reach. `account`
    is a login with its password, where the system asks for one: the probe must notice a wrong one.
    """

    connector: str
    process: Process
    content: Path = Path()
    extra: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    with_: Mapping[str, Any] = field(default_factory=dict)
    begin: Callable[[Path], Counterpart] | None = None
    gone: Callable[[Counterpart], Counterpart] | None = None
    account: tuple[str, str] | None = None

    @property
    def manifest(self) -> Manifest:
        """What the connector says of itself and this profile."""
        return manifests()[self.connector].of_profile(self.extra.get("profile"))

    @contextmanager
    def open(self, folder: Path) -> Iterator[Counterpart]:
        """A counterpart of its own in this folder, while the block lasts."""
        if self.begin is not None:
            yield self.begin(folder)
            return
        assert self.manifest.sandbox, "the manifest names no sandbox: give the stand a `begin`"
        running = start(self.manifest.sandbox, folder, options=self.options)
        try:
            yield Counterpart(self.connection(running.url), running.arm)
        finally:
            running.stop()

    def connection(self, host: str, **extra: Any) -> Connection:
        """A connection to this address."""
        login, password = self.account or ("", "")
        kind, given = self.manifest.connection_type, {**self.extra, **extra}
        return Connection("stand", kind, host=host, login=login, password=password, extra=given)

    def source(self, connection: Connection) -> Source:
        """A new client, as after a restart."""
        return open_source(connection, Context(self.process, self.with_, self.content))

    def target(self, connection: Connection) -> Target | BatchTarget:
        """A new client, as after a restart."""
        return open_target(connection, Context(self.process, self.with_, self.content))

    def with_secrets(self, connection: Connection) -> Connection:
        """The same connection with an account, and every secret that the form knows."""
        secrets = {name: SECRET for name, known in self.manifest.fields.items() if known.secret}
        return replace(connection, login=LOGIN, password=SECRET, extra={**connection.extra, **secrets})


@contextmanager
def nobody() -> Iterator[str]:
    """An address of this machine where nobody listens."""
    with closing(socket.socket()) as bound:  # bound and not listening: nobody else can take the port meanwhile
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def silence() -> Iterator[str]:
    """An address where somebody takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class OnAStand:
    """What the suites for sources and targets have in common."""

    stand: ClassVar[Stand]

    @pytest.fixture(scope="class")
    @classmethod
    def counterpart(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counterpart]:
        """One sandbox for all tests of a class."""
        with cls.stand.open(tmp_path_factory.mktemp(cls.stand.connector)) as opened:
            yield opened

    def probe(self, counterpart: Counterpart) -> str:
        """What the probe says of a connection; the connector must have one."""
        if self.stand.manifest.probe is None:
            pytest.skip("the manifest names no probe")
        return probe(counterpart.connection, self.stand.content, [self.stand.process])

    def test_the_probe_logs_in_and_says_so_in_one_line(self, counterpart: Counterpart) -> None:
        """A person reads it in a form: not empty, no second line, no secret."""
        said = self.probe(counterpart)

        assert said
        assert "\n" not in said
        assert not counterpart.connection.password or counterpart.connection.password not in said

    def test_the_probe_notices_that_nobody_is_there(self, counterpart: Counterpart) -> None:
        """It said yes before anybody had asked; and whoever tests wants to know why not."""
        with self.out_of_reach(counterpart) as gone, pytest.raises(Exception) as raised:  # noqa: PT011 - as the engine
            self.probe(gone)

        assert trouble_of(raised.value) is not None

    def test_the_probe_notices_a_wrong_password(self, counterpart: Counterpart) -> None:
        """A port that answers is no log-in."""
        if self.stand.account is None:
            pytest.skip("the stand names no account")
        wrong = replace(counterpart.connection, password=SECRET)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - as the engine
            self.probe(replace(counterpart, connection=wrong))

        trouble = trouble_of(raised.value)
        assert trouble is not None
        assert trouble.cause is Cause.PASSWORD
        assert SECRET not in told(raised.value)

    @contextmanager
    def out_of_reach(self, counterpart: Counterpart) -> Iterator[Counterpart]:
        """The same counterpart as it looks when nobody is there."""
        if self.stand.gone is not None:
            yield self.stand.gone(counterpart)
            return
        with nobody() as address:
            extra = {**counterpart.connection.extra, **IMPATIENT}
            yield replace(counterpart, connection=replace(counterpart.connection, host=address, port=None, extra=extra))

    def only_over_http(self) -> None:
        """A promise about the line means nothing to a folder."""
        if self.stand.manifest.transport != "http":
            pytest.skip("this connector opens no line")


def sample_message(number: int, effect: str = "file.create") -> Message:
    """A message with a number of its own, for targets that take any bytes."""
    reference = f"KK26-090517-{number:05d}-D1"
    return Message(
        key=uuid5(NAMESPACE_URL, reference),
        destination="stand",
        generation=1,
        case_id=uuid5(NAMESPACE_URL, str(number)),
        effect=effect,
        number=1,
        reference=reference,
        payload=f"<message>{reference}</message>".encode(),
        file_name=f"{reference}.xml",
        media_type="application/xml",
        created_at=datetime(2026, 11, 23, 8, tzinfo=UTC),
        test=False,
    )


def told(error: BaseException) -> str:
    """All that a log would show of an error, its causes included."""
    texts = []
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), str(seen)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)
