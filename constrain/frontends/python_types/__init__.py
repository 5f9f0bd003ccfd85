"""Python types as sources: what a type means as a JSON Schema, and how a document becomes its instance.

In reading order:

    recognition.py      which objects are types or functions (imports no pydantic)
    extra.py            whether pydantic is there
    type_schemas.py     a type -> a JSON Schema that is exact about what pydantic takes
    refusals.py         what a JSON Schema cannot say about a type
    text_patterns.py    pydantic's patterns -> those of JSON Schema
    readers.py          a document -> an instance of the type
    signatures.py       functions -> types of their arguments; documents -> calls
    calls.py            a call: a function and its arguments
    sources.py          both together: what `constrain.compile` asks for

All but `recognition`, `extra`, `calls` and `text_patterns` need the extra `types`.
"""
