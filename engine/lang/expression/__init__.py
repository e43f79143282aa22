"""The one small language of conditions and templates: parse, type-check, evaluate."""
