"""Shows what an editor shows: asks yaml-language-server about a mapping and prints its answers.

    npm install --prefix /tmp/yls yaml-language-server
    kiezbruecke mapping editor commitment-hkr
    python tools/editor_transcript.py /tmp/yls mappings/outbound/commitment-hkr/mapping.yaml \\
        --schema var/editor/commitment-hkr.schema.json --add "  - target: Emp" --complete "  - target: Emp" --diagnose

A place is the end of the last line part that says the words. `--add` types a line at the file's end and `--schema` the
first line, both in memory only. The server is an npm package and no part of this project: it is installed beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

SHOWN = 8


class Server:
    """yaml-language-server as a child process, spoken to in LSP 3.17 over its standard input and output."""

    def __init__(self, folder: Path) -> None:
        package = folder / "node_modules" / "yaml-language-server"
        self.version = json.loads((package / "package.json").read_text("utf-8"))["version"]
        command = ["node", str(package / "bin" / "yaml-language-server"), "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._last = 0

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request; what the server asks meanwhile is answered with nothing."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        return next(one for one in self.messages() if one.get("id") == self._last and "method" not in one)["result"]

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def messages(self) -> Iterator[dict[str, Any]]:
        """Everything the server says from now on."""
        while message := _read(self._out):
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": [_SETTINGS["yaml"]]})
            yield message

    def stop(self) -> None:
        """Ends the server in the protocol's order."""
        self.ask("shutdown", {})
        self.tell("exit", {})
        self._process.wait(timeout=10)

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()


_SETTINGS: dict[str, Any] = {
    "yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
}


def main() -> None:
    """Read the arguments, ask, print."""
    given = _arguments()
    first = [f"# yaml-language-server: $schema={given.schema.resolve().as_uri()}"] if given.schema else []
    text = "\n".join([*first, given.mapping.read_text("utf-8").rstrip("\n"), *given.add]) + "\n"
    server = Server(given.server)
    print(f"# yaml-language-server {server.version}, {given.mapping}")
    _open(server, given.mapping, text)
    if given.diagnose:
        _diagnose(server)
    for kind, words in given.asks:
        (_complete if kind == "complete" else _hover)(server, given.mapping, text, words)
    server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", type=Path, help="folder that holds node_modules/yaml-language-server")
    parser.add_argument("mapping", type=Path, help="a mapping.yaml")
    parser.add_argument("--schema", type=Path, help="the mapping's editor schema, where its first line names none")
    parser.add_argument("--add", action="append", default=[], help="a line that is typed at the end")
    for kind in ("complete", "hover"):
        words = f"{kind} at the end of these words"
        parser.add_argument(f"--{kind}", dest="asks", action="append", type=partial(_ask, kind), help=words)
    parser.add_argument("--diagnose", action="store_true", help="what the editor underlines")
    parser.set_defaults(asks=[])
    return parser.parse_args()


def _ask(kind: str, words: str) -> tuple[str, str]:
    return kind, words


def _open(server: Server, file: Path, text: str) -> None:
    server.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    server.tell("initialized", {})
    server.tell("workspace/didChangeConfiguration", {"settings": _SETTINGS})
    document = {"uri": file.resolve().as_uri(), "languageId": "yaml", "version": 1, "text": text}
    server.tell("textDocument/didOpen", {"textDocument": document})


def _diagnose(server: Server) -> None:
    said = next(one for one in server.messages() if one.get("method") == "textDocument/publishDiagnostics")
    print("\n$ what is underlined")
    for one in said["params"]["diagnostics"] or [{"message": "nothing", "range": {"start": {"line": -1}}}]:
        print(f"  line {one['range']['start']['line'] + 1}: {_short(one['message'])}")


def _complete(server: Server, file: Path, text: str, words: str) -> None:
    found = server.ask("textDocument/completion", _position(file, text, words, past=True))
    typed = re.split(r"[ {[]", words)[-1]
    offered = [item for item in found["items"] if item["label"].strip('"').startswith(typed)]  # as an editor filters
    items = sorted(offered, key=lambda item: item["label"])
    print(f"\n$ complete  {words}▮   ({len(items)} offered)")
    for item in items[:SHOWN]:
        print(f"  {item['label']:<50} {_short(_plain(item.get('documentation', '')))}".rstrip())
    if len(items) > SHOWN:
        print("  …")


def _hover(server: Server, file: Path, text: str, words: str) -> None:
    found = server.ask("textDocument/hover", _position(file, text, words, past=False))
    print(f"\n$ hover  {words}")
    print("\n".join(f"  {line}" for line in _plain((found or {}).get("contents", "nothing")).splitlines() if line))


def _position(file: Path, text: str, words: str, *, past: bool) -> dict[str, Any]:
    for number, line in reversed(list(enumerate(text.splitlines()))):
        if words in line:
            character = line.index(words) + len(words) - (0 if past else 1)
            place = {"line": number, "character": character}
            return {"textDocument": {"uri": file.resolve().as_uri()}, "position": place}
    sys.exit(f"no line says '{words}'")


def _plain(content: Any) -> str:
    return str(content["value"]) if isinstance(content, dict) else str(content)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 110 else line[:109] + "…"


def _read(out: IO[bytes]) -> dict[str, Any]:
    """One message; empty at the end."""
    length = 0
    while (line := out.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body: dict[str, Any] = json.loads(out.read(length)) if length else {}
    return body


if __name__ == "__main__":
    main()
