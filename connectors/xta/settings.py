"""The connection to an XTA server: three ports, two parties, and how large a message may be."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from connectors._http import HttpSettings
from connectors._line import Wire

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
DVDV = re.compile(r"[a-z]{3}:[0-9]{12}")
PORTS = {"management_url": "ManagementPort", "send_url": "SendXtaPort", "msgbox_url": "MsgBoxPort"}


class Settings(HttpSettings):
    """What the client needs to know. Identifiers of the type `xoev` are keys of the DVDV, others are free."""

    management_url: str = ""
    send_url: str = ""
    msgbox_url: str = ""
    identifier_type: Text = "xoev"  # before the identifiers, whose form depends on it
    party: Text
    party_name: Text = "Kiezbrücke"
    receiver: Text
    receiver_name: str = ""
    service: Text = "urn:xdomea:abgabe"
    business_scenario: Text = "XDOMEA"
    list_items: int = Field(100, ge=1, le=1000)
    max_message_bytes: int = Field(20_000_000, ge=1, le=200_000_000)
    mtom: bool = False

    @model_validator(mode="before")
    @classmethod
    def _ports_stand_below_the_address(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {**{name: f"{given['address']}/{port}" for name, port in PORTS.items()}, **given}

    @field_validator("party", "receiver")
    @classmethod
    def _is_a_key_of_the_dvdv(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("identifier_type") == "xoev" and not DVDV.fullmatch(value):
            raise ValueError(
                "is no key of the DVDV: three letters, a colon and twelve digits, such as xyz:110090090000; "
                "or another identifier_type"
            )
        return value

    @property
    def addresses(self) -> tuple[str, ...]:
        """The three ports."""
        return self.management_url, self.send_url, self.msgbox_url

    @property
    def wire(self) -> Wire:
        """Base64 makes three bytes four, and an answer has an envelope around it."""
        return replace(super().wire, max_answer_bytes=self.max_message_bytes * 4 // 3 + 1_000_000)
