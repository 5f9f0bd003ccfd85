"""Quarterly reports from earnings text: with the constraint, and beside it without.

    python examples/quarterly_report/run.py                             # all inputs, both ways
    python examples/quarterly_report/run.py inputs/sap.txt --model PATH # one input, another model
    python examples/quarterly_report/run.py --samples 200 --temperature 1.5 [--random-logits]

The reports are printed and saved under `output/quarterly_report/`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from fields import FieldCount, count_fields, read_report
from rich.console import Console
from rich.table import Table

import constrain

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RULES = ROOT / "schemas" / "quarterly_report_companies.rules.json"
GRAPH = ROOT / "knowledge_graphs" / "finance" / "graph.jsonl"
OUTPUT = ROOT / "output" / "quarterly_report"

#: Two worked examples: a model that was never taught to follow instructions needs to see the form.
PROMPT = """\
Each text is followed by its quarterly report as JSON. Amounts are in CNY; dates are YYYY-MM-DD.

Text:
Munich - Siemens AG published its figures for the third quarter on August 7, 2025 (2025-08-07). Revenue \
was 19.4 billion euros, the equivalent of 162,300,000,000 yuan, and orders rose 28 percent.

Costs and operating expenses were the equivalent of 143,900,000,000 yuan. Cash flow from operating \
activities was 2.94 billion euros, or 24,600,000,000 yuan.
Report:
{{"report_type": "quarterly", "company": "Siemens AG", "date": "2025-08-07", \
"revenue": {{"value": 162300000000, "unit": "CNY"}}, "expenses": {{"value": 143900000000, "unit": "CNY"}}, \
"cash_flow": {{"value": 24600000000, "unit": "CNY"}}}}

Text:
美团于2025年5月26日公布第一季度业绩。收入为人民币865.57亿元(86557000000元),同比增长18%。即时配送订单量继续增长。

成本及费用合计为人民币759.90亿元(75990000000元)。经营活动产生的现金流量净额为人民币101.08亿元(10108000000元)。
Report:
{{"report_type": "quarterly", "company": "美团", "date": "2025-05-26", \
"revenue": {{"value": 86557000000, "unit": "CNY"}}, "expenses": {{"value": 75990000000, "unit": "CNY"}}, \
"cash_flow": {{"value": 10108000000, "unit": "CNY"}}}}

Text:
{text}
Report:
"""
#: Where the next text would begin, a model without the constraint has ended its report too.
NEXT_TEXT = "\nText:"


def main(arguments: list[str] | None = None) -> int:
    """Run the example; return the exit status."""
    options = parse_arguments(arguments)
    quieten()
    console = Console()
    torch.manual_seed(options.seed)
    constraint = constrain.compile(RULES, knowledge=constrain.load_graph(GRAPH))
    started = time.perf_counter()
    model = constrain.load(options.model)
    console.print(f"{options.model} loaded in {time.perf_counter() - started:.1f} s")
    texts = {path.stem: path.read_text(encoding="utf-8").strip() for path in options.inputs}
    prompts = {name: PROMPT.format(text=text) for name, text in texts.items()}
    if options.samples:
        from sampling import sample_reports

        return sample_reports(model, constraint, list(prompts.values()), options, console)
    return compare(model, constraint, prompts, options, console)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "inputs", nargs="*", type=Path, default=sorted((HERE / "inputs").glob("*.txt")), help="text files"
    )
    parser.add_argument("--model", default="gemma3-270m", help="name or path (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the reports")
    parser.add_argument(
        "--max-new-tokens",
        type=lambda text: text if text == "least" else int(text),
        default=160,
        help="budget of a report; `least`: what the shortest known one needs (default: %(default)s)",
    )
    parser.add_argument("--samples", type=int, default=0, help="sample so many reports and validate them")
    parser.add_argument(
        "--temperature", type=float, default=1.5, help="of the samples (default: %(default)s)"
    )
    parser.add_argument("--random-logits", action="store_true", help="samples of noise instead of a model")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def quieten() -> None:
    """Keep progress bars and warnings of the libraries out of the report."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def compare(
    model: Any, constraint: constrain.Constraint, prompts: dict[str, str], options: Any, console: Console
) -> int:
    """Generate every report both ways, greedily and with the same budget; print and save them."""
    options.output.mkdir(parents=True, exist_ok=True)
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    budget = options.max_new_tokens
    if budget == "least":
        budget = len(constraint.matcher(model.vocabulary).plan()) + 1
    ways: dict[str, dict[str, FieldCount]] = {"constrained": {}, "unconstrained": {}}
    unreadable = dict.fromkeys(ways, 0)
    for name, prompt in prompts.items():
        console.rule(name)
        result = model.generate(prompt, schema=constraint, max_new_tokens=budget, do_sample=False)
        free_text = generate_freely(model, prompt, budget)
        kept = [share for share in result.report.kept_probability or () if share is not None]
        console.print_json(result.text, ensure_ascii=False)
        console.print(
            f"{len(result.tokens)} tokens in {result.report.seconds['decode']:.1f} s, "
            f"{result.report.forced_share or 0:.0%} forced; "
            f"least probability kept at a step: {min(kept, default=1.0):.3g}"
        )
        console.print("[dim]without the constraint:[/dim]")
        console.print(free_text, style="dim", markup=False, highlight=False)
        (options.output / f"{name}.json").write_text(result.text + "\n", encoding="utf-8")
        (options.output / f"{name}.unconstrained.txt").write_text(free_text + "\n", encoding="utf-8")
        for way, text in (("constrained", result.text), ("unconstrained", free_text)):
            fields, is_json = read_report(text, constraint.source["required"])
            unreadable[way] += not is_json
            counted = count_fields(fields, is_json, constraint.source, expected.get(name, {}))
            totals = ways[way]
            for field, count in counted.items():
                totals[field] = totals.get(field, FieldCount()) + count
    console.rule("all inputs")
    console.print(summary_table(ways))
    summary = {way: summarise(fields, len(prompts), unreadable[way]) for way, fields in ways.items()}
    for way, figures in summary.items():
        console.print(
            f"{way}: {unreadable[way]} of {len(prompts)} reports are no JSON object; "
            f"read by a JSON parser, {figures['missing_rate_of_a_parser']:.0%} of the fields are missing"
        )
    (options.output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    console.print(f"saved under {options.output}")
    return 1 if summary["constrained"]["missing"] or summary["constrained"]["malformed"] else 0


def generate_freely(model: Any, prompt: str, budget: int) -> str:
    """Return what the model writes greedily without a constraint, within the same budget."""
    from constrain.models.prompts import encode_prompts

    inputs = encode_prompts(model.processor, [prompt])
    tokenizer = getattr(model.processor, "tokenizer", model.processor)
    start = inputs["input_ids"].shape[1]

    def written(ids: torch.Tensor) -> str:
        return str(tokenizer.decode(ids[0, start:], skip_special_tokens=True))

    def has_ended(ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        return torch.tensor([NEXT_TEXT in written(ids)], device=ids.device)

    with torch.inference_mode():
        ids = model.model.generate(
            **{name: value.to(model.model.device) for name, value in inputs.items()},
            max_new_tokens=budget,
            do_sample=False,
            eos_token_id=list(model.vocabulary.eos_ids),
            stopping_criteria=[has_ended],
        )
    return written(ids).split(NEXT_TEXT)[0].strip()


def summarise(fields: dict[str, FieldCount], reports: int, unreadable: int) -> dict[str, float]:
    """Return the counts over all fields, and the rates that this kind of system is judged by."""
    total = sum(fields.values(), FieldCount())
    return {
        "reports": reports,
        "reports_that_are_no_json": unreadable,
        "fields": total.total,
        "missing": total.missing,
        "malformed": total.malformed,
        "right": total.right,
        "missing_rate": total.missing / total.total,
        "malformed_rate": total.malformed / total.total,
        "right_rate": total.right / total.total,
        "missing_rate_of_a_parser": total.missing_for_a_parser / total.total,
    }


def summary_table(ways: dict[str, dict[str, FieldCount]]) -> Table:
    """Return the table of missing, malformed and right fields, with the constraint and without."""
    table = Table(title="required fields, with the constraint and without")
    table.add_column("field")
    for way in ("with", "without"):
        for column in ("missing", "malformed", "right"):
            table.add_column(f"{way}\n{column}", justify="right", no_wrap=True)
    for field in ways["constrained"]:
        cells = []
        for fields in ways.values():
            count = fields[field]
            cells += [f"{number} / {count.total}" for number in (count.missing, count.malformed, count.right)]
        table.add_row(field, *cells)
    table.add_section()
    rates = []
    for fields in ways.values():
        total = sum(fields.values(), FieldCount())
        rates += [f"{count / total.total:.0%}" for count in (total.missing, total.malformed, total.right)]
    table.add_row("rate", *rates)
    return table


if __name__ == "__main__":
    sys.exit(main())
