"""From the text of a recipe to the tree that is compiled: sources, sections, short forms, static checks, JSON Schema."""
