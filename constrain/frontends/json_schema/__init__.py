"""JSON Schema, drafts 4 to 2020-12, as a source of constraints.

In reading order: `dialects` (what a draft has), `scan` (what is malformed or refused),
`references`, `nodes` (keywords as formulas), `patterns` and `formats` (strings as languages),
`compiler` (all of it together), `conflicts` (what contradicts what).
"""
