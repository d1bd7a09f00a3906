"""Routes: one YAML file, one DAG. A collecting route empties a source, a sending route does what is due."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke import plugins
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Area, Process

NAME = r"^[a-z][a-z0-9-]{1,59}$"


def _known_effect(name: str) -> str:
    if name not in (known := plugins.effects()):
        raise ValueError(f"no effect is called '{name}'; there are {', '.join(sorted(known))}")
    return name


Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class _Route(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=NAME)
    process: str
    owner: str
    title: str = Field("", description="One German line for people")
    schedule: str | None = Field(None, description="Cron, Europe/Berlin")
    after: Names = Field((), description="Also start when one of these routes has brought something")
    options: dict[str, Any] = Field({}, alias="with", description="What mappings read as route.*")
    drift: Literal["warn", "stop"] = Field("warn", description="What a change that breaks a mapping does to a run")


class CollectingRoute(_Route):
    """Empties one source or box."""

    collect: str = Field(description="A connection")
    mapping: Names = Field(description="Inbound mappings; the item's kind chooses")


class SendingRoute(_Route):
    """Does what is due at one destination."""

    due: str = Field(description="The rule of the effect")
    effect: Annotated[str, AfterValidator(_known_effect)] = Field(description="A file of kiezbruecke/effects")
    mapping: str = Field(description="Outbound mapping")
    destination: str = Field(description="A connection")
    environment: Literal["live", "test"] = "live"
    mode: Literal["off", "dry_run", "live"] = "dry_run"
    start_from: date
    window: int = Field(1, ge=1, le=100, description="How many messages a crash may leave in doubt at once")
    answer_within_days: int = Field(3, ge=1, description="After this a missing receipt raises attention")
    release: Literal["none", "four_eyes"] = "none"


Route = CollectingRoute | SendingRoute


def routes(content: Path) -> dict[str, Route]:
    """All routes by name; raises ConfigurationError for the first broken file."""
    return {file.stem: read_route(file) for file in route_files(content)}


def route_files(content: Path) -> list[Path]:
    """The route files, sorted by name."""
    return sorted((content / "mappings" / "routes").glob("*.yaml"))


def find_route(content: Path, name: str) -> Route:
    """One route by name; the other files are not read, so a broken one disturbs nobody."""
    file = content / "mappings" / "routes" / f"{name}.yaml"
    if not file.exists():
        known = ", ".join(other.stem for other in route_files(content))
        raise ConfigurationError(f"no route is called '{name}'", where="mappings/routes", expected=known)
    return read_route(file)


def read_route(file: Path) -> Route:
    """Read one route file; raises ConfigurationError with file, line and column."""
    body = read_yaml(file)
    model = CollectingRoute if "collect" in body else SendingRoute
    try:
        route = model.model_validate(body)
    except ValidationError as error:
        raise _invalid(file, body, error) from None
    if route.name != file.stem:
        raise ConfigurationError(
            f"the route is called '{route.name}'",
            where=_at(file, body, "name"),
            expected=f"'{file.stem}', like its file",
        )
    if isinstance(route, SendingRoute) and route.release != "none":
        raise ConfigurationError(
            "release: four_eyes is not available yet", where=_at(file, body, "release"), expected="none"
        )
    return route


def read_process(content: Path, process_id: str) -> Process:
    """A process with its areas, from mappings/processes/<id>.yaml and its code list of areas."""
    file = content / "mappings" / "processes" / f"{process_id}.yaml"
    body = read_yaml(file)
    values = dict(body)
    try:
        values["area_list"] = str(values["areas"])
        values["areas"] = read_areas(content, values["area_list"])
        return Process.model_validate(values)
    except KeyError:
        raise ConfigurationError("'areas' is missing", where=str(file), expected="the name of a code list") from None
    except ValidationError as error:
        raise _invalid(file, body, error) from None


def read_areas(content: Path, name: str) -> tuple[Area, ...]:
    """The areas of a code list: mappings/codelists/<name>.csv with id;name;aliases;bezirk_id;lor_version."""
    import csv  # noqa: PLC0415 - only routes that read a process need it

    file = content / "mappings" / "codelists" / f"{name}.csv"
    try:
        with file.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader((line for line in handle if not line.startswith("#")), delimiter=";"))
    except OSError:
        raise ConfigurationError(f"there is no code list '{name}'", where=str(file)) from None
    return tuple(_area(row, f"{file}: row {number}") for number, row in enumerate(rows, 1))


def _area(row: dict[str, str | None], where: str) -> Area:
    try:
        aliases = (row["aliases"] or "").split("|")
        return Area(
            id=row["id"] or "",
            name=row["name"] or "",
            aliases=tuple(alias.strip() for alias in aliases if alias.strip()),
            bezirk_id=row["bezirk_id"] or "",
            lor_version=row["lor_version"] or "",
        )
    except KeyError as missing:
        expected = "id;name;aliases;bezirk_id;lor_version"
        raise ConfigurationError(f"the column {missing} is missing", where=where, expected=expected) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}", where=where) from None


def read_yaml(file: Path) -> Any:
    """A YAML mapping with positions (ruamel round trip); raises ConfigurationError with line and column.

    A file is parsed once, and again when it changes: whoever looks at all routes would parse for seconds. What comes
    back is shared; nobody changes it.
    """
    try:
        state = file.stat()
    except OSError:
        raise ConfigurationError("the file is missing", where=str(file)) from None
    return _parsed(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=512)
def _parsed(file: Path, changed_ns: int, size: int) -> Any:  # noqa: ARG001 - a changed file is another one
    try:
        yaml = YAML()
        yaml.allow_duplicate_keys = False
        body = yaml.load(file.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigurationError(getattr(error, "problem", None) or "not YAML in UTF-8", where=where) from None
    if not isinstance(body, dict):
        raise ConfigurationError("the file holds no keys", where=str(file), expected="key: value")
    return body


def _invalid(file: Path, body: Any, error: ValidationError) -> ConfigurationError:
    first = error.errors(include_input=False, include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    key = str(first["loc"][0]) if first["loc"] else ""
    return ConfigurationError(f"{path}: {first['msg']}", where=_at(file, body, key))


def _at(file: Path, body: Any, key: str) -> str:
    try:
        line, column = body.lc.key(key)
    except (AttributeError, KeyError):
        return f"{file}:1:1"
    return f"{file}:{line + 1}:{column + 1}"
