"""The vault's keys: what they seal opens with them alone, at its own place, and marks outlive them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.privacy import make_private
from kiezbruecke.troubles import Cause, Trouble
from kiezbruecke.vault import MAGIC, Keys, NoKeys, Vault, find_keys, key_of, keys_of, masked, new_keys, read_keys
from tests.world import HOLDER, IBAN

KEYS = new_keys("a test")
HERE = "account:1"


def vault(keys: Keys = KEYS) -> Vault:
    return Vault(lambda: keys)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "vault.keys"
    make_private(file)
    file.write_text(text)
    return file


def nothing(_: str) -> Connection:
    raise ConfigurationError("no connection", trouble=Trouble(Cause.CONNECTION))


def test_what_is_sealed_shows_nothing_and_opens_as_it_was() -> None:
    sealed = vault().seal(IBAN.encode(), HERE)

    assert sealed.startswith(MAGIC)
    assert IBAN.encode() not in sealed
    assert vault().open(sealed, HERE) == IBAN.encode()
    assert vault().seal(IBAN.encode(), HERE) != sealed  # nobody sees that two rows hold the same


def test_what_was_never_sealed_is_as_it_is() -> None:
    """Bytes of effects that hold no account data need no key."""
    assert Vault(lambda: pytest.fail("asked for keys")).open(b"<xml/>", HERE) == b"<xml/>"


def test_sealed_bytes_open_in_their_own_row_only() -> None:
    """Else whoever may write into the database pays a grant to another account."""
    sealed = vault().seal(IBAN.encode(), HERE)
    with pytest.raises(ConfigurationError, match="what key '1' has sealed does not open"):
        vault().open(sealed, "account:2")


@pytest.mark.parametrize("place", [12, 20, -1])
def test_changed_bytes_do_not_open(place: int) -> None:
    sealed = bytearray(vault().seal(IBAN.encode(), HERE))
    sealed[place] ^= 1
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        vault().open(bytes(sealed), HERE)


def test_another_machine_s_key_of_the_same_number_does_not_open() -> None:
    with pytest.raises(ConfigurationError, match="does not open; expected the key that sealed it"):
        vault(new_keys("another")).open(vault().seal(b"x", HERE), HERE)


def test_old_keys_open_and_the_newest_seals() -> None:
    later = vault(KEYS.with_another())
    old = vault().seal(b"x", HERE)

    assert later.open(old, HERE) == b"x"
    assert (key_of(old), key_of(later.seal(b"x", HERE))) == ("1", "2")


def test_a_lost_key_is_named() -> None:
    later = KEYS.with_another()
    sealed = vault(later).seal(b"x", HERE)
    with pytest.raises(ConfigurationError, match="a test: the vault has no key '2'; expected 1; put the lost key back"):
        vault().open(sealed, HERE)


def test_marks_outlive_every_sealing_key() -> None:
    """Records hold them and never change."""
    assert vault().mark(IBAN, HOLDER) == vault(KEYS.with_another().with_another()).mark(IBAN, HOLDER)
    assert vault().mark(IBAN, HOLDER) != vault(new_keys("another")).mark(IBAN, HOLDER)


def test_a_mark_is_of_iban_and_holder() -> None:
    """Composed and decomposed letters and blanks are the same holder; another name is another."""
    decomposed = "Beispielverein  Mu\u0308ggelsee"

    assert vault().mark(IBAN, HOLDER) == vault().mark(IBAN, decomposed)
    assert len({vault().mark(IBAN, HOLDER), vault().mark(IBAN, "Kiezverein"), vault().mark("DE1", HOLDER)}) == 3


def test_people_see_both_ends_of_an_iban() -> None:
    assert masked(IBAN) == "DE93…0001"


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    keys = KEYS.with_another()
    found = read_keys(written(tmp_path, keys.text()))

    assert (found.mark, found.sealing, found.newest) == (keys.mark, keys.sealing, "2")
    assert "keys.mark" not in repr(found)
    assert repr(keys.mark) not in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, KEYS.text())
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="others may read the vault's keys; expected a file of 0600; chmod"):
        read_keys(file)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "mark is missing"),
        (KEYS.text().splitlines()[0], "a sealing key is missing"),
        (KEYS.text() + KEYS.text().splitlines()[1], "the 3. word is no key"),
        (KEYS.text() + "0:AAAA", "the 3. word is no key"),
        (KEYS.text() + "2:geheim", "the 3. word is no key"),
        ("nur ein Passwort", "the 1. word is no key"),
    ],
    ids=["nothing", "only the mark", "one twice", "too short", "no base64", "a password"],  # keys differ per process
)
def test_what_is_no_key_is_told_by_its_place(tmp_path: Path, text: str, why: str) -> None:
    """Never by what stands there: it may be half a secret."""
    with pytest.raises(ConfigurationError, match=why) as raised:
        read_keys(written(tmp_path, text))

    assert not [word for word in text.split() if word in str(raised.value)]


def test_a_connection_of_its_own_type_holds_keys(tmp_path: Path) -> None:
    password = KEYS.text().replace("\n", " ")
    party = Connection("tresor", "kb_vault", password=password)

    assert find_keys(tmp_path / "vault.keys", lambda _: party).sealing == KEYS.sealing
    with pytest.raises(ConfigurationError, match="tresor: 'kb_folder' holds no keys; expected type kb_vault"):
        keys_of(Connection("tresor", "kb_folder", password=password))


def test_the_file_comes_first_and_no_keys_are_one_line(tmp_path: Path) -> None:
    file = written(tmp_path, KEYS.text())

    assert find_keys(file, lambda _: pytest.fail("asked")).mark == KEYS.mark
    with pytest.raises(NoKeys, match="expected this file, or a connection 'tresor' of type kb_vault; kiezbr"):
        find_keys(tmp_path / "another", nothing)
