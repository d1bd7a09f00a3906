"""Decidim: proposals and budget projects are read over its GraphQL API, answers to proposals are written."""
