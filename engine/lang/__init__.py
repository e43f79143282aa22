"""What users write: YAML with positions, schemas, expressions, templates, the loader."""
