"""Where the rules of a mapping stand in another target, and whether their values still fit there."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace

from kiezbruecke.mapping.interpret.interpreter import Lists
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.loading import Mapping
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.schema.tree import Leaf, Node
from kiezbruecke.workbench.moves import Moves, Path_, Search, place_at

Samples = AnyMapping[int, set[str]]  # what rules gave in the examples, by number


@dataclass(frozen=True)
class PlacedRule:
    """A rule with its old and new place in names; `how` says how the new one was found, `broken` why there is none."""

    rule: Rule
    number: int
    old: Path_
    shown: str
    new: Path_ | None = None
    how: str = ""
    broken: str = ""
    below: tuple[PlacedRule, ...] = ()


class Placing:
    """Finds the new place of every rule."""

    def __init__(self, mapping: Mapping, target: TargetSchema, moves: Moves, samples: Samples) -> None:
        self._old, self._new, self._moves = mapping.goal.root, target.root, moves
        self._search = Search(target.root)
        self._lists = mapping.lists
        self._numbers = {id(one.rule): one.number for one in mapping.plan.rules}
        self._samples = samples

    def rules(self, rules: tuple[Rule, ...], above: Path_, shown: str) -> tuple[PlacedRule, ...]:
        """Every rule of a block, with those below."""
        return tuple(self._rule(rule, above, shown) for rule in rules)

    def _rule(self, rule: Rule, above: Path_, shown: str) -> PlacedRule:
        old = (*above, *(step.name for step in rule.target.steps))
        full = "/".join(part for part in (shown, *map(str, rule.target.steps)) if part)
        found = PlacedRule(rule, self._numbers[id(rule)], old, full or ".")
        if rule.ends:
            return self._placed(found)
        if not rule.rules:
            return self._leaf(self._placed(found))
        below = self.rules(rule.rules, old, full)
        return self._block(replace(self._placed(found), below=below))

    def _placed(self, found: PlacedRule) -> PlacedRule:
        before, moved = place_at(self._old, found.old), self._moves.of(found.old)
        if moved != found.old and place_at(self._new, moved) is not None:
            return replace(found, new=moved, how="as the moves table says")
        if place_at(self._new, found.old) is not None:
            return replace(found, new=found.old)
        like = self._search.like(found.old, before) if before is not None and found.old else None
        if like is not None:
            return replace(found, new=like, how="the only place of this name and type")
        return replace(found, broken="removed: the new schema has no such place")

    def _block(self, found: PlacedRule) -> PlacedRule:
        """A block without a place of its own stands where everything in it stands."""
        living = [_home(part) for part in found.below if part.new is not None and not part.broken]
        if living and (found.new is None or any(part[: len(found.new)] != found.new for part in living)):
            found = replace(found, new=_common(living), how="where its rules stand", broken="")
        if not living:
            return replace(found, broken=found.broken or "every rule in it is broken")
        return self._repeated(found) if found.rule.each is not None else found

    def _repeated(self, found: PlacedRule) -> PlacedRule:
        """What is repeated must stand where the new schema repeats: perhaps on a parent that is new."""
        place = found.new or ()
        while place and not _repeats(self._new, place) and place[-2:-1] and place[-2] not in found.old:
            place = place[:-1]
        if not _repeats(self._new, place):
            return replace(found, broken="fewer: the new schema holds only one of it")
        return replace(found, new=place)

    def _leaf(self, found: PlacedRule) -> PlacedRule:
        before, after = (
            place_at(self._old, found.old),
            place_at(self._new, found.new) if found.new is not None else None,
        )
        if before is None or after is None or found.broken:
            return found
        if reason := _unfit(found.rule, before, after, self._lists):
            return replace(found, broken=reason)
        if after.leaf is None or before.leaf is None or after.leaf.patterns in ((), before.leaf.patterns):
            return found
        refused = [text for text in self._samples.get(found.number, ()) if _refused(text, after.leaf)]
        if refused:
            pattern = after.leaf.patterns[0][0]
            return replace(found, broken=f"narrower: an example's value does not follow the pattern {pattern}")
        return replace(found, how="; ".join(filter(None, (found.how, "its pattern is another one now"))))


def _unfit(rule: Rule, before: Node, after: Node, lists: Lists) -> str:
    """Why the value does not fit any more, empty where it does."""
    if before.repeats and not after.repeats and rule.each is not None:
        return "fewer: the new schema holds only one of it"
    if rule.code is not None:
        return _other_list(rule, after, lists)
    if after.leaf is None:
        return "" if before.leaf is None else "changed: it holds elements now, and no text"
    if rule.const is not None or before.leaf is None:
        return _refused(rule.const or "", after.leaf) if rule.const is not None else ""
    return _narrower(rule, before.leaf, after.leaf)


def _other_list(rule: Rule, after: Node, lists: Lists) -> str:
    assert rule.code is not None
    codes = lists.codes[rule.code.list]
    for name, own in (("@listURI", codes.uri), ("@listVersionID", codes.version)):
        fixed = after.children[name].fixed if name in after.children else None
        if fixed is not None and own and fixed != own:
            return f"code list changed: {name.removeprefix('@')} is '{fixed}' now, '{rule.code.list}' says '{own}'"
    if after.leaf is None and "code" not in after.children:
        return "changed: it is no place for a code any more"
    leaf = after.leaf if after.leaf is not None else after.children["code"].leaf
    return _refused(rule.code.value, leaf) if rule.code.value is not None and leaf is not None else ""


def _refused(text: str, leaf: Leaf) -> str:
    if (why := leaf.refusal(text)) is None:
        return ""
    return f"narrower: the new schema refuses this text; expected {why.expected.english or 'another one'}"


def _narrower(rule: Rule, before: Leaf, after: Leaf) -> str:
    """Whether the new type takes less than the old one: a kind, a length, a list of values, a pattern."""
    if before.kind != after.kind and after.kind not in ("text", "any"):
        return f"narrower: {after.kind} now, {before.kind} before"
    cut = min((int(use.argument) for use in rule.steps if use.name == "clip" and use.argument), default=None)
    longest = min((length for length in (before.max_length, cut) if length is not None), default=None)
    if after.max_length is not None and (longest is None or longest > after.max_length):
        helps = f"steps: [{{clip: {after.max_length}}}]"
        return (
            f"narrower: at most {after.max_length} characters now, {before.max_length or 'any number'} before; {helps}"
        )
    if after.enumeration and not set(before.enumeration or ("",)) <= set(after.enumeration):
        return f"narrower: only {', '.join(after.enumeration[:8])} now"
    return ""


def _home(part: PlacedRule) -> Path_:
    """What a block must at least stand above: a block itself, or what a value stands in."""
    assert part.new is not None
    return part.new if part.below else part.new[:-1]


def _common(paths: list[Path_]) -> Path_:
    """What several paths begin with."""
    found = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        found.append(names[0])
    return tuple(found)


def _repeats(root: Node, path: Path_) -> bool:
    node = place_at(root, path)
    return node is not None and node.repeats
