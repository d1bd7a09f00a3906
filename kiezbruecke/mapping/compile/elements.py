"""Phase two of the generated code: put the texts together as the schema orders them.

Every piece is a literal or a variable; what may be absent is an empty string where it is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiezbruecke.mapping.compile.emit import ALWAYS, NEVER, Code, Piece, Var, all_of, any_of, none_of, text_of
from kiezbruecke.mapping.compile.plan import Printed, Uncompilable
from kiezbruecke.mapping.compile.runtime import as_bytes, attribute_value, text_content
from kiezbruecke.mapping.schema.tree import Group, Node, can_be_empty, can_hold, nodes, recurring
from kiezbruecke.mapping.values import Unusable

_TOO_DEEP = 40


@dataclass(frozen=True)
class ElementWriter:
    """Writes elements; `prefixes` are the prefixes of the namespaces."""

    code: Code
    prefixes: Mapping[str, str]  # namespace: prefix, '' for the default namespace

    def document(self, place: Printed, declarations: Mapping[str, str]) -> list[Piece]:
        """The whole document below its declaration, the namespaces declared at the root."""
        spaces = "".join(
            f' xmlns{":" if prefix else ""}{as_bytes(prefix or "")}="{attribute_value(space)}"'
            for prefix, space in declarations.items()
        )
        return ["<?xml version='1.0' encoding='UTF-8'?>\n", *self._element(place, spaces)]

    def member(self, place: Printed, members: str) -> None:
        """Inside a loop: add the finished element to its list where there is something in it."""
        wanted = place.wanted_if()
        if place.members:
            self._listed(place, members)
            return
        if wanted == NEVER:
            return
        if wanted not in (ALWAYS, place.alive_if()):
            self.code.line(f"if ({wanted}) and not ({place.alive_if()}): decline()")
        if wanted == ALWAYS:
            self.code.line(f"{members}.append({text_of(self._element(place))})")
            return
        with self.code.block(f"if {wanted}:"):
            self.code.line(f"{members}.append({text_of(self._element(place))})")

    def _element(self, place: Printed, spaces: str = "") -> list[Piece]:
        node = place.node
        if node.abstract or node.mixed or node.wildcard:
            raise Uncompilable(f"'{place.path}' has a form that only the interpreter writes")
        start: list[Piece] = [f"<{self._tag(node)}{spaces}", *self._attributes(place)]
        if not can_hold(node):
            return [*start, "/>"]
        content, end, wanted = self._content(place), f"</{self._tag(node)}>", place.wanted_if()
        if content is None:
            self._only_if(wanted)
            return [*start, "/>"]
        if node.leaf is not None or any(isinstance(piece, str) and piece for piece in content):
            return [*start, ">", *content, end]
        inside = self.code.variable("inside")
        self.code.line(f"{inside} = {text_of(content)}")
        with self.code.block(f"if {inside}:"):
            self.code.line(f"{inside} = {text_of(['>', Var(inside), end])}")
        with self.code.block("else:"):
            self._only_if(wanted)
            self.code.line(f'{inside} = "/>"')
        return [*start, Var(inside)]

    def _only_if(self, wanted: str) -> None:
        """Nothing that could hold something is written empty, but for an element whose attributes say something."""
        if wanted != ALWAYS:
            self.code.line("decline()" if wanted == NEVER else f"if not ({wanted}): decline()")

    def _content(self, place: Printed) -> list[Piece] | None:
        """What stands between the tags; None where nothing can."""
        node = place.node
        text: list[Piece] = []
        if node.leaf is not None:
            text = self._own_text(place)
        if any(place.of(name) for name in recurring(node.content.group)):
            raise Uncompilable(f"'{place.path}' has one name in several places")
        elements = self._group(place, node.content.group)
        if node.leaf is None and not elements:
            return None
        return [*text, *elements]

    def _own_text(self, place: Printed) -> list[Piece]:
        if place.constant is not None:
            return [place.constant]
        instead, beside = self._without_value(place), place.alive_below_if()
        if place.text:
            if instead is None or beside == NEVER:
                self.code.require(place.text)
            elif not self.code.is_sure(place.text):
                if not instead and beside != ALWAYS:
                    self.code.line(f"if {place.text} is None and not ({beside}): decline()")
                self.code.line(f"if {place.text} is None: {place.text} = {instead!r}")
            return [Var(place.text)]
        if instead is None or (not instead and beside == NEVER):
            return self._nothing()
        if not instead and beside != ALWAYS:
            self.code.line(f"if not ({beside}): decline()")
        return [instead]

    def _nothing(self) -> list[Piece]:
        self.code.line("decline()")
        return [""]

    def _without_value(self, place: Printed) -> str | None:
        """What an element that no rule gives a text holds: its fixed value, or nothing beside its attributes."""
        node = place.node
        if node.fixed is not None:
            return text_content(node.fixed)
        if node.leaf is None or not place.parts:
            return None
        try:
            node.leaf.judge("")
        except Unusable:
            return None
        return ""

    def _attributes(self, place: Printed) -> list[Piece]:
        found: list[Piece] = []
        for node in place.node.content.attributes:
            found += self._attribute(place, node)
        return found

    def _attribute(self, owner: Printed, node: Node) -> list[Piece]:
        place = next(iter(owner.of(node.name)), None)
        name = self._tag(node)
        if place is None or not place.has_value:
            if node.optional:
                return []
            if node.fixed is None:
                self.code.line("decline()")
                return []
            return [f' {name}="{attribute_value(node.fixed)}"']
        if place.constant is not None:
            return [f' {name}="{place.constant}"']
        if node.optional:
            shown = self.code.variable("attribute")
            with_value = text_of([f' {name}="', Var(place.text), '"'])
            self.code.line(f'{shown} = "" if {place.text} is None else {with_value}')
            return [Var(shown)]
        self.code.require(place.text)
        return [f' {name}="', Var(place.text), '"']

    def _group(self, owner: Printed, group: Group) -> list[Piece]:
        touched = [node for node in nodes(group) if owner.of(node.name)]
        if group.maximum != 1:
            return self._repeated(owner, group, touched)
        if not touched:
            return [] if group.minimum == 0 else self._untouched(group)
        if group.minimum == 1:
            return self._once(owner, group)
        return self._optional_group(owner, group, touched)

    def _optional_group(self, owner: Printed, group: Group, touched: list[Node]) -> list[Piece]:
        """Begun where something in it was read, or where it holds constants and nothing that is missing."""
        places = [place for node in touched for place in owner.of(node.name)]
        alive, wanted = any_of(place.alive_if() for place in places), any_of(place.wanted_if() for place in places)
        silent = any_of(all_of([place.opened_if(), none_of(place.wanted_if())]) for place in places)
        begun = any_of([alive, all_of([wanted, none_of(silent)])])
        if begun == ALWAYS:
            return self._once(owner, group)
        whole = self.code.variable("group")
        self._declared(whole)
        with self.code.block(f"if {begun}:"):
            self.code.line(f"{whole} = {text_of(self._once(owner, group))}")
        if wanted != begun:
            self.code.line(f"elif {wanted}: decline()")
        return [Var(whole)]

    def _once(self, owner: Printed, group: Group) -> list[Piece]:
        if group.kind == "choice":
            return self._choice(owner, group)
        return [piece for part in group.parts for piece in self._part(owner, part)]

    def _part(self, owner: Printed, part: Node | Group) -> list[Piece]:
        return self._group(owner, part) if isinstance(part, Group) else self._elements(owner, part)

    def _choice(self, owner: Printed, group: Group) -> list[Piece]:
        """One branch. Where two branches have something to say, the interpreter decides."""
        branches = [(part, self._wanted(owner, part)) for part in group.parts]
        branches = [(part, wanted) for part, wanted in branches if wanted != NEVER]
        whole = self.code.variable("choice")
        self._declared(whole)
        for number, (part, wanted) in enumerate(branches):
            with self.code.block(f"{'el' if number else ''}if {wanted}:"):
                if (others := any_of(other for _, other in branches[number + 1 :])) != NEVER:
                    self.code.line(f"if {others}: decline()")
                self.code.line(f"{whole} = {text_of(self._part(owner, part))}")
        if not any(can_be_empty(part) for part in group.parts):
            self.code.line("else: decline()" if branches else "decline()")
        return [Var(whole)]

    def _wanted(self, owner: Printed, part: Node | Group) -> str:
        return any_of(place.wanted_if() for node in nodes(part) for place in owner.of(node.name))

    def _elements(self, owner: Printed, node: Node) -> list[Piece]:
        """All elements of one name: one place is written straight, several are counted."""
        places = owner.of(node.name)
        if not places:
            return self._untouched(node) if node.minimum else []
        if len(places) == 1 and not places[0].members:
            return self._single(places[0])
        listed = self._list(places)
        if node.minimum:
            self.code.line(f"if len({listed}) < {node.minimum}: decline()")
        if node.maximum is not None:
            self.code.line(f"if len({listed}) > {node.maximum}: decline()")
        return [self._joined(listed)]

    def _single(self, place: Printed) -> list[Piece]:
        node = place.node
        if node.minimum > 1:
            self.code.line("decline()")
            return [""]
        wanted = ALWAYS if node.minimum == 1 else place.wanted_if()
        if wanted == ALWAYS or (place.text and wanted == f"{place.text} is not None" and self.code.is_sure(place.text)):
            return self._element(place)
        whole = self.code.variable("element")
        self._declared(whole)
        if wanted == NEVER:
            return [Var(whole)]
        with self.code.block(f"if {wanted}:"):
            self.code.line(f"{whole} = {text_of(self._element(place))}")
        return [Var(whole)]

    def _list(self, places: list[Printed]) -> str:
        """A variable with the finished elements of several places of one name."""
        if len(places) == 1 and places[0].members and not places[0].text:
            listed = self.code.variable("list")
            self.code.line(f"{listed} = {places[0].members} or ()")
            return listed
        listed = self.code.variable("list")
        self.code.line(f"{listed} = []")
        for place in places:
            self._listed(place, listed)
        return listed

    def _listed(self, place: Printed, listed: str) -> None:
        if place.text and place.members:  # texts of one rule, each an element of its own
            tag = self._tag(place.node)
            if place.parts or any(not node.optional for node in place.node.content.attributes):
                raise Uncompilable(f"several texts with attributes for '{place.path}'")
            self.code.line(f'{listed} += [f"<{tag}>{{one}}</{tag}>" for one in {place.text} or ()]')
        elif place.members:
            self.code.line(f"{listed} += {place.members} or ()")
        elif (wanted := place.wanted_if()) == ALWAYS:
            self.code.line(f"{listed}.append({text_of(self._element(place))})")
        elif wanted != NEVER:
            with self.code.block(f"if {wanted}:"):
                self.code.line(f"{listed}.append({text_of(self._element(place))})")

    def _joined(self, listed: str) -> Var:
        whole = self.code.variable("elements")
        self.code.line(f'{whole} = "".join({listed})')
        return Var(whole)

    def _repeated(self, owner: Printed, group: Group, touched: list[Node]) -> list[Piece]:
        """A group that may come again: each round holds one element of the one name that rules speak about."""
        if not touched:
            return self._untouched(group) * group.minimum
        if len(touched) > 1:
            raise Uncompilable(f"several targets in the repeated group of '{owner.path}'")
        node = touched[0]
        before, after = self._around(group, node)
        if node.minimum > 1 or (node.maximum != 1 and (before or after or node.maximum is not None)):
            raise Uncompilable(f"a list in the repeated group of '{owner.path}'")
        listed = self._list(owner.of(node.name))
        if group.minimum:
            self.code.line(f"if len({listed}) < {group.minimum}: decline()")
        if group.maximum is not None:
            self.code.line(f"if len({listed}) > {group.maximum}: decline()")
        if not before and not after:
            return [self._joined(listed)]
        whole = self.code.variable("elements")
        self.code.line(f'{whole} = "".join([{before!r} + one + {after!r} for one in {listed}])')
        return [Var(whole)]

    def _around(self, group: Group, node: Node) -> tuple[str, str]:
        """What a group writes by itself before and after the one node that rules speak about."""
        before, after, passed = "", "", False
        for part in group.parts:
            if any(one is node for one in nodes(part)):
                if isinstance(part, Group):
                    if part.maximum != 1 or part.minimum > 1:
                        raise Uncompilable("a repeated group in a repeated group")
                    inner = self._around(part, node)
                    before, after = before + inner[0], inner[1] + after
                passed = True
            elif group.kind == "sequence" and part.minimum:
                itself = self._itself(part, 0)
                if itself is None:
                    raise Uncompilable("a mandatory part that no rule fills")
                before, after = (before, after + itself) if passed else (before + itself, after)
        return before, after

    def _untouched(self, part: Node | Group) -> list[Piece]:
        itself = self._itself(part, 0)
        if itself is None:
            self.code.line("decline()")
            return [""]
        return [itself]

    def _itself(self, part: Node | Group, depth: int) -> str | None:
        """What a mandatory part writes that no rule speaks about: fixed values. None: something is missing."""
        if part.minimum == 0:
            return ""
        if depth > _TOO_DEEP:
            return None
        if isinstance(part, Group):
            return self._group_itself(part, depth)
        one = self._node_itself(part, depth)
        return None if one is None else one * part.minimum

    def _group_itself(self, group: Group, depth: int) -> str | None:
        if group.kind == "choice":
            return "" if any(can_be_empty(part) for part in group.parts) else None
        parts = [self._itself(part, depth + 1) for part in group.parts]
        return None if None in parts else "".join(part or "" for part in parts) * group.minimum

    def _node_itself(self, node: Node, depth: int) -> str | None:
        if node.abstract or node.mixed or node.wildcard:
            return None
        tag, attributes = self._tag(node), ""
        for attribute in node.content.attributes:
            if not attribute.optional:
                if attribute.fixed is None:
                    return None
                attributes += f' {self._tag(attribute)}="{attribute_value(attribute.fixed)}"'
        below = self._group_itself(node.content.group, depth + 1) if node.content.group.minimum else ""
        if below is None or (node.leaf is not None and node.fixed is None):
            return None
        inside = text_content(node.fixed or "") + below
        if not inside:
            return None if can_hold(node) else f"<{tag}{attributes}/>"
        return f"<{tag}{attributes}>{inside}</{tag}>"

    def _declared(self, variable: str) -> None:
        self.code.line(f'{variable} = ""')

    def _tag(self, node: Node) -> str:
        local = as_bytes(node.local)
        if not node.namespace:
            return local
        prefix = self.prefixes.get(node.namespace)
        if prefix is None or (prefix == "" and node.name.startswith("@")):
            raise Uncompilable(f"no prefix for the namespace of '{node.name}'")
        return f"{as_bytes(prefix)}:{local}" if prefix else local
