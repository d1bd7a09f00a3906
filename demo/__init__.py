"""The main job on one machine: `make demo` shows it, `make up` leaves it standing. Not part of the wheel."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "var"
