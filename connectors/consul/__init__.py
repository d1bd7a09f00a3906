"""CONSUL Democracy: participatory budgets, read over its public GraphQL."""
