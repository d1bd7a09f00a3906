"""What integrators work with: examples, previews, scaffolds, differences, pages for the department."""
