"""`constrain validate`: which faults of instances and schemas it finds, where it points, how it writes them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import constrain
from constrain.cli import main

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "minimum": 3},
        "cents": {"multipleOf": 0.01},
        "name": {"enum": ["Apple", "Tencent"]},
        "day": {"type": "string", "format": "date"},
        "either": {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]},
        "list": {"type": "array", "items": {"type": "boolean"}},
    },
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return name


@pytest.mark.parametrize(
    ("text", "place", "part_of_message"),
    [
        ('{"a": 2}', "1:7: #/a: `minimum`:", "expected at least 3, found 2"),
        ("{}", "1:1: #: `required`:", 'the property "a" is missing'),
        ('{"a": 3,\n  "nam": "Apple"}', "2:3: #/nam: `additionalProperties`:", 'did you mean "name"?'),
        ('{"a": 3,\n "name": "Tencen"}', "2:10: #/name: `enum`:", 'did you mean "Tencent"?'),
        ('{"a": 3, "cents": 19.995}', "1:19: #/cents: `multipleOf`:", "expected a multiple of 0.01"),
        ('{"a": 3, "day": "2023-02-29"}', "1:17: #/day: `format`:", "expected text in the format date"),
        ('{"a": 3.5}', "1:7: #/a: `type`:", "expected an integer, found the number 3.5"),
        ('{"a": 3, "either": "abc"}', "1:20: #/either: `anyOf`:", "alternative"),
        (
            '{"a": 3, "list": [true,\n\n  false,\n0]}',
            "4:1: #/list/2: `type`:",
            "expected a boolean, found the number 0",
        ),
        ('{"a": 3, "a": 4}', "1:10:", "twice"),
        ('{"a": 3', "1:8:", "expected"),
        ('{"a": NaN}', "1:7:", "NaN"),
        (b'{"a": 3, "b": "\xff"}', "1:16:", "not UTF-8"),
        ('\ufeff{"a": 3}', "1:1:", "byte order mark"),
        ("", "1:1:", "ends"),
    ],
)
def test_invalid_instances_exit_1_with_their_place(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, place: str, part_of_message: str
) -> None:
    name = write(folder, "instance.json", text)
    assert main(["validate", "schema.json", name]) == 1
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert len([line for line in lines if not line.startswith(" ")]) == 1
    assert lines[0].startswith(f"instance.json:{place} ")
    assert part_of_message in lines[0]
    assert output.out == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 3}',
        '{"a": 3.0}',
        ' {"\\u0061" : 3e0}\n',
        '{"a": 3, "cents": 19.99}',
        '{"a":3,"either":null,"list":[]}',
    ],
)
def test_valid_instances_exit_0(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    name = write(folder, "instance.json", text)
    assert main(["validate", "schema.json", name]) == 0
    assert capsys.readouterr() == ("instance.json: valid\n", "")


def test_a_text_that_generation_would_not_write_can_be_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(folder, "instance.json", '{"a"\n\n\n\n: 3}')
    assert main(["validate", "schema.json", name]) == 0
    assert main(["validate", "schema.json", name, "--no-any-text"]) == 1
    error = capsys.readouterr().err
    # At most two line ends in a row: the third one is the only character of line 3.
    assert error.startswith("instance.json:3:1:")
    assert "the value is valid, but generation would not write it this way" in error


def test_a_refusal_that_the_second_validator_cannot_explain_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = write(folder, "letters.json", '{"pattern": "^\\\\p{L}+$"}')
    assert main(["validate", schema, write(folder, "letters", '"é龙"')]) == 0
    assert main(["validate", schema, write(folder, "digits", '"é1"')]) == 1
    error = capsys.readouterr().err
    assert error.startswith("digits:1:3:")
    assert "no single keyword explains it (the jsonschema package cannot judge it" in error


def test_several_instances_are_judged_one_by_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [write(folder, f"{index}.json", json.dumps({"a": index})) for index in (1, 3, 2, 4)]
    assert main(["validate", "schema.json", *names]) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == ["3.json: valid", "4.json: valid"]
    assert [line.split(":")[0] for line in output.err.splitlines()] == ["1.json", "2.json"]


def test_json_output_holds_the_same_facts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [write(folder, f"{index}.json", json.dumps({"a": index})) for index in (2, 3)]
    assert main(["validate", "schema.json", *names, "nowhere.json", "--format", "json"]) == 2
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert output.err == ""
    assert report["schema"] == {"file": "schema.json", "usable": True, "errors": [], "findings": []}
    assert [(entry["file"], entry["valid"]) for entry in report["instances"]] == [
        ("2.json", False),
        ("3.json", True),
        ("nowhere.json", None),
    ]
    (error,) = report["instances"][0]["errors"]
    assert error == {
        "file": "2.json",
        "message": "expected at least 3, found 2",
        "kind": "invalid",
        "severity": "error",
        "line": 1,
        "column": 7,
        "end_line": 1,
        "end_column": 8,
        "pointer": "#/a",
        "keyword": "minimum",
        "schema_pointer": "#/properties/a/minimum",
        "expected": "at least 3",
        "found": "2",
    }
    assert report["exit_code"] == 2
    assert main(["validate", write(folder, "bad.json", "{"), "--format", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["schema"]["usable"] is False
    assert report["schema"]["errors"][0]["line"] == 1


def test_instances_of_an_unsatisfiable_schema_are_invalid(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(folder, "never.json", '{"type": "string", "const": 3}')
    assert main(["validate", name, "schema.json"]) == 1
    assert "schema.json: no document satisfies the schema" in capsys.readouterr().err


def errors_of(
    folder: Path, capsys: pytest.CaptureFixture[str], schema: Any, text: str, *options: str
) -> list[dict[str, Any]]:
    """The errors of one instance, as `--format json` has them."""
    write(folder, "s.json", json.dumps(schema))
    write(folder, "i.json", text)
    assert main(["validate", "s.json", "i.json", "--format", "json", *options]) == 1
    (instance,) = json.loads(capsys.readouterr().out)["instances"]
    return list(instance["errors"])


def test_all_errors_are_reported_in_the_order_of_the_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '{"list": [0, true, 1],\n "cents": 0.001, "x": 1,\n "name": "Appel"}'
    errors = errors_of(folder, capsys, SCHEMA, text)
    assert [(each["line"], each["pointer"], each["keyword"]) for each in errors] == [
        (1, "#", "required"),
        (1, "#/list/0", "type"),
        (1, "#/list/2", "type"),
        (2, "#/cents", "multipleOf"),
        (2, "#/x", "additionalProperties"),
        (3, "#/name", "enum"),
    ]


@pytest.mark.parametrize(
    ("schema", "text", "pointer", "keyword", "schema_pointer"),
    [
        ({"$ref": "#/$defs/a", "$defs": {"a": {"minimum": 3}}}, "2", "#", "minimum", "#/$defs/a/minimum"),
        ({"allOf": [{}, {"properties": {"a/b": {"maxLength": 1}}}]}, '{"a/b": "xx"}', "#/a~1b", "maxLength",
         "#/allOf/1/properties/a~1b/maxLength"),
        ({"if": {}, "then": {"const": 1}}, "2", "#", "const", "#/then/const"),
        ({"$id": "http://x/y", "$defs": {"a": {"$anchor": "n", "type": "null"}}, "items": {"$ref": "#n"}}, "[1]",
         "#/0", "type", "#/$defs/a/type"),
        ({"properties": {"a": False}}, '{"a": 1}', "#/a", None, "#/properties/a"),
        ({"not": {"type": "string"}}, '"x"', "#", "not", "#/not"),
    ],
)  # fmt: skip
def test_an_error_names_its_keyword_in_the_schema(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    schema: Any,
    text: str,
    pointer: str,
    keyword: str | None,
    schema_pointer: str,
) -> None:
    (error,) = errors_of(folder, capsys, schema, text)
    assert (error["pointer"], error.get("keyword"), error["schema_pointer"]) == (
        pointer,
        keyword,
        schema_pointer,
    )


SHAPES = {
    "oneOf": [
        {"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
        {
            "properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
            "required": ["kind", "side"],
        },
        {"type": "null"},
    ]
}


@pytest.mark.parametrize(
    ("text", "best", "causes"),
    [
        ('{"kind": "circle", "r": "big"}', 1, [("#/r", "type")]),
        ('{"kind": "square", "r": 3}', 2, [("#", "required")]),
        ('{"kind": "square", "side": null}', 2, [("#/side", "type")]),
    ],
)
def test_of_alternatives_the_one_that_was_meant_is_explained(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, best: int, causes: list[tuple[str, str]]
) -> None:
    (error,) = errors_of(folder, capsys, SHAPES, text)
    assert f"alternative {best} (" in error["message"]
    assert [(cause["pointer"], cause["keyword"]) for cause in error["causes"]] == causes


def test_alternatives_that_hold_together_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = {"oneOf": [{"type": "integer"}, {"type": "string"}, {"minimum": 3}]}
    (error,) = errors_of(folder, capsys, schema, "4")
    assert "alternatives 1 and 3" in error["message"]
    assert "causes" not in error


def test_the_end_of_what_is_wrong_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (error,) = errors_of(folder, capsys, {"items": {"type": "null"}}, '[null, {"a":\n 1}, null]')
    place = [error[key] for key in ("line", "column", "end_line", "end_column")]
    assert place == [1, 8, 2, 4]


def test_a_key_that_is_not_allowed_is_marked_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (error,) = errors_of(folder, capsys, {"propertyNames": {"maxLength": 2}}, '{"ab": 1, "abc": 1}')
    assert [error[key] for key in ("column", "end_column")] == [11, 16]
    assert error["schema_pointer"] == "#/propertyNames/maxLength"
    assert '"abc"' in error["message"]


def test_the_engine_decides_and_the_second_validator_only_explains(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Agreeable:
        schema = True

        def iter_errors(self, instance: object) -> list[object]:
            return []

    monkeypatch.setattr("constrain.cli.refusals.second_validator", lambda constraint: Agreeable())
    (error,) = errors_of(folder, capsys, {"minimum": 3}, "2")
    assert error["kind"] == "unexplained"
    assert "the jsonschema package finds it valid" in error["message"]


LINES = '{"a": 3}\n\n{"a": 2}\r\n{"a": 4}\n{"a": \n'


def test_json_lines_are_documents_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, options in (("lines.jsonl", []), ("lines.txt", ["--jsonl"])):
        write(folder, name, LINES)
        assert main(["validate", "schema.json", name, *options]) == 1
        output = capsys.readouterr()
        assert output.out == f"{name}: 2 of 4 documents are valid\n"
        assert [line.split(" ")[0] for line in output.err.splitlines()] == [f"{name}:3:7:", f"{name}:5:7:"]


def test_json_lines_have_an_outcome_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "schema.json", write(folder, "x.ndjson", LINES), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(each["line"], each["valid"]) for each in report["instances"]] == [
        (1, True),
        (3, False),
        (4, True),
        (5, False),
    ]


def test_json_lines_are_read_from_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 3}\n{"a": 5}\n')))
    assert main(["validate", "schema.json", "-", "--jsonl"]) == 0
    assert capsys.readouterr().out == "-: 2 of 2 documents are valid\n"


# Schemas


WARNED = '{"type": "object",\n "requred": ["a"],\n "properties": {"a": {"type": "string", "minLength": 0}}}'


def test_mistakes_in_a_schema_are_warnings_with_their_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", write(folder, "w.json", WARNED)]) == 0
    output = capsys.readouterr()
    assert output.out == "w.json: can be satisfied, and can be enforced exactly\n"
    (line,) = output.err.splitlines()
    assert line.startswith("w.json:2:13: warning: #: `requred`:")
    assert line.endswith("(did you mean `required`?) [misspelt-keyword]")


@pytest.mark.parametrize(
    ("options", "code", "severities"),
    [
        ([], 0, ["warning"]),
        (["--level", "error"], 0, []),
        (["--level", "note"], 0, ["warning", "note"]),
        (["--strict"], 1, ["warning"]),
        (["--strict", "--level", "error"], 1, []),
        (["--no-lint"], 0, []),
    ],
)
def test_the_level_chooses_what_is_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, severities: list[str]
) -> None:
    assert main(["validate", write(folder, "w.json", WARNED), "--format", "json", *options]) == code
    report = json.loads(capsys.readouterr().out)
    assert [each["severity"] for each in report["schema"]["findings"]] == severities
    assert report["exit_code"] == code


def test_with_instances_a_schema_is_linted_only_on_request(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [write(folder, "w.json", WARNED), write(folder, "i.json", "{}")]
    assert main(["validate", *names]) == 0
    assert capsys.readouterr().err == ""
    assert main(["validate", *names, "--lint"]) == 0
    assert "misspelt-keyword" in capsys.readouterr().err


def test_all_faults_of_a_schema_are_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"type": "integr",\n "minLength": -1,\n "properties": {"a": {"pattern": "("}}}'
    assert main(["validate", write(folder, "bad.json", text)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["bad.json:1:10:", "bad.json:2:15:", "bad.json:3:34:"]


def test_a_fault_that_compilation_meets_later_is_found_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = write(folder, "bad.json", '{"properties": {"a": {"pattern": "("}}}')
    assert main(["validate", schema]) == 2
    assert capsys.readouterr().err.startswith("bad.json:1:34: #/properties/a: `pattern`:")
    # With an instance that needs it, nothing is said about validity.
    assert main(["validate", schema, write(folder, "i.json", '{"a": "x"}')]) == 2


def test_a_conflict_names_its_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(folder, "never.json", '{"type": "string",\n "const": 3}')
    assert main(["validate", name, "--format", "json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["schema"]["errors"]
    assert error["kind"] == "UnsatisfiableError"
    assert {(each["pointer"], each["line"], each["column"]) for each in error["related"]} == {
        ("#/type", 1, 10),
        ("#/const", 2, 11),
    }


# Formats


def test_full_output_underlines_the_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(folder, "i.json", '{"a": 3,\n "name": "Appel"}')
    assert main(["validate", "schema.json", name, "--format", "full"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == [
        '  2 |  "name": "Appel"}',
        "    |          ^^^^^^^",
        "  the schema says so at #/properties/name/enum",
    ]


def test_colours_are_for_terminals_only(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(folder, "i.json", "{}")
    main(["validate", "schema.json", name])
    assert "\033" not in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["validate", "schema.json", name])
    assert "\033[1;31merror:" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    main(["validate", "schema.json", name])
    assert "\033" not in capsys.readouterr().err


def test_a_sarif_log_has_what_the_specification_requires(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "w.json", WARNED)
    write(folder, "folder with blanks.json", '{"a": 3,\n "a": 4}')
    assert main(["validate", "w.json", "--lint", "folder with blanks.json", "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"  # 3.13.2
    (run,) = log["runs"]  # 3.13.4
    driver = run["tool"]["driver"]  # 3.14.6
    assert (driver["name"], driver["version"]) == ("constrain", constrain.__version__)
    assert run["columnKind"] == "unicodeCodePoints"  # 3.14.17
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]  # 3.27.6
        assert result["level"] in ("error", "warning", "note")  # 3.27.10
        assert result["message"]["text"]  # 3.27.11
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert all(isinstance(value, int) and value >= 1 for value in region.values())  # 3.30
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert uris == ["w.json", "folder%20with%20blanks.json"]  # 3.4.3: a valid URI reference
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 2,
    }


def test_an_empty_sarif_log_has_no_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "schema.json", "--format", "sarif"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["results"] == []


def test_github_annotations_escape_their_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(folder, "a,b.json", '{"a": 3, "x%": 1}')
    assert main(["validate", "schema.json", name, "--format", "github"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::error file=a%2Cb.json,line=1,endLine=1,col=10,endColumn=14::")
    assert '"x%25"' in line
