"""The sandbox's schema: the excerpt beside it, as the chosen version of Decidim has it.

0.30   no answers, no sign-in, projects without address and related proposals
0.31   answers; what may not be done gives null without an error
0.32   more mutations; what may not be done gives an error; the schema is shown to accounts only
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from graphql import GraphQLSchema, build_ast_schema, parse
from graphql.language import (
    DefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    UnionTypeDefinitionNode,
)

VERSIONS = ("0.30", "0.31", "0.32")
_OTHERS = """
type Meetings implements ComponentInterface {
  id: ID! name: TranslatedField! weight: Int! participatorySpace: ParticipatorySpace!
}
"""
_SINCE_031 = {
    ("Proposal", "url"),
    ("Project", "selectedAt"),
    ("Project", "confirmedVotes"),
    ("Project", "relatedProposals"),
    ("Project", "budgetUrl"),
    ("Project", "url"),
}
_SINCE_032 = {("ProposalsMutation", "createProposal"), ("ProposalMutation", "update"), ("ProposalMutation", "withdraw")}
_MUTATIONS_OF_032 = {"BudgetsMutation", "BudgetMutation", "ProjectMutation", "AccountabilityMutation"}


@cache
def schema_of(version: str) -> GraphQLSchema:
    """The schema of a version; raises KeyError for one that is not among them."""
    age = VERSIONS.index(version)
    excerpt = resources.files("connectors.decidim").joinpath("testdata", "schema_excerpt.graphql").read_text("utf-8")
    missing = (_SINCE_031 if age < 1 else set()) | (_SINCE_032 if age < 2 else set())
    dropped = (_MUTATIONS_OF_032 if age < 2 else set()) | (
        {"Mutation", "ComponentMutation", "ProposalsMutation", "ProposalMutation"} if age < 1 else set()
    )
    definitions = [
        _as_it_was(definition, missing, dropped)
        for definition in parse(excerpt + _OTHERS).definitions
        if getattr(getattr(definition, "name", None), "value", "") not in dropped
    ]
    return build_ast_schema(DocumentNode(definitions=tuple(definitions)))


def _as_it_was(definition: DefinitionNode, missing: set[tuple[str, str]], dropped: set[str]) -> DefinitionNode:
    if isinstance(definition, SchemaDefinitionNode) and "Mutation" in dropped:
        operations = tuple(one for one in definition.operation_types if one.type.name.value != "Mutation")
        return SchemaDefinitionNode(directives=(), operation_types=operations)
    if isinstance(definition, UnionTypeDefinitionNode):
        types = tuple(one for one in definition.types or () if one.name.value not in dropped)
        return UnionTypeDefinitionNode(name=definition.name, directives=(), types=types)
    if isinstance(definition, ObjectTypeDefinitionNode):
        fields = tuple(one for one in definition.fields or () if _stays(definition, one, missing))
        return ObjectTypeDefinitionNode(
            name=definition.name, directives=(), interfaces=definition.interfaces, fields=fields
        )
    return definition


def _stays(owner: ObjectTypeDefinitionNode, field: FieldDefinitionNode, missing: set[tuple[str, str]]) -> bool:
    return (owner.name.value, field.name.value) not in missing
