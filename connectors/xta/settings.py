"""The connection to an XTA server, checked before the first byte: addresses, parties, certificates."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors import _soap
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
DVDV = re.compile(r"[a-z]{3}:[0-9]{12}")


class Settings(BaseModel):
    """What the client needs to know. Identifiers of the type `xoev` are keys of the DVDV, others are free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    management_url: str
    send_url: str
    msgbox_url: str
    login: str = Field("", repr=False)
    password: SecretStr = SecretStr("")
    identifier_type: Text = "xoev"  # before the identifiers, whose form depends on it
    party: Text
    party_name: Text = "Kiezbrücke"
    receiver: Text
    receiver_name: str = ""
    service: Text = "urn:xdomea:abgabe"
    business_scenario: Text = "XDOMEA"
    list_items: int = Field(100, ge=1, le=1000)
    max_message_bytes: int = Field(20_000_000, ge=1, le=200_000_000)
    connect_timeout: float = Field(10, gt=0, le=300)
    read_timeout: float = Field(30, gt=0, le=600)
    deadline: float = Field(120, gt=0, le=3600)
    mtom: bool = False
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""

    @field_validator("party", "receiver")
    @classmethod
    def _is_a_key_of_the_dvdv(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("identifier_type") == "xoev" and not DVDV.fullmatch(value):
            raise ValueError("is no key of the DVDV")
        return value

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Settings:
        if bool(self.client_cert) != bool(self.client_key):
            raise ValueError("client_cert and client_key belong together")
        return self

    @property
    def wire(self) -> _soap.Wire:
        """How calls travel. Base64 makes three bytes four, and an answer has an envelope around it."""
        return _soap.Wire(
            verify=self.ca_file or True,
            cert=(self.client_cert, self.client_key) if self.client_cert else None,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            deadline=self.deadline,
            max_answer_bytes=self.max_message_bytes * 4 // 3 + 1_000_000,
            huge=True,
            mtom=("{http://xoev.de/transport/xta/211}Message",) if self.mtom else (),
            user=self.login,
            password=self.password.get_secret_value(),
        )

    @classmethod
    def from_connection(cls, connection: Connection) -> Settings:
        """The settings of an Airflow connection; raises ConfigurationError naming the field."""
        given = {key: value for key, value in connection.extra.items() if value not in (None, "")}
        account = {"connection": connection.id, "login": connection.login, "password": connection.password}
        try:
            return cls.model_validate({**_ports(connection), **given, **account})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "client_cert"
            raise ConfigurationError(
                f"{field}: {first['msg']}", where=f"connection {connection.id}", expected=_expected(field)
            ) from None


def _ports(connection: Connection) -> dict[str, str]:
    """The three ports' addresses below the connection's own, for those that `extra` does not name."""
    base = _base(connection)
    return {
        "management_url": f"{base}/ManagementPort",
        "send_url": f"{base}/SendXtaPort",
        "msgbox_url": f"{base}/MsgBoxPort",
    }


def _base(connection: Connection) -> str:
    """'https://xta.example/ws' from a whole address in `host`, or from schema, host and port."""
    host, where = connection.host.strip().rstrip("/"), f"connection {connection.id}"
    expected = "https://xta.example/ws, or host xta.example with schema https"
    if not host:
        raise ConfigurationError("host is empty", where=where, expected=expected)
    parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ConfigurationError("host is no address", where=where, expected=expected)
    if "@" in parts.netloc:
        raise ConfigurationError("host holds a login", where=where, helps="use the fields login and password")
    port = f":{connection.port}" if connection.port and not re.search(r":\d+$", parts.netloc) else ""
    return f"{parts.scheme}://{parts.netloc}{port}{parts.path}"


def _expected(field: str) -> str:
    if field in ("party", "receiver"):
        return "three letters, a colon and twelve digits, such as xyz:110090090000; or another identifier_type"
    if field in Settings.model_fields:
        return ""
    return ", ".join(name for name in Settings.model_fields if name not in ("connection", "login", "password"))
