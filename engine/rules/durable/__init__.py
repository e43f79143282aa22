"""The matcher over durable-rules: conditions become questions about value classes.

A condition's truth depends on a value only through the side of the constants on which it lies.
That side is a small integer, the value's *code*; durable-rules is asked about codes, never about
values, once per code, and its answers are kept in one truth table per term:

`fold` constants → `normal` disjunctive form → `classes` codes → `nets` durable-rules
→ `tables` remembered answers → `plan` bits of a kind → `usual` what facts mostly are
→ `generate` the kind's function → `kind`, `matcher`.
"""
