"""Write `graph.jsonl`: companies of eight stock indices, joined with the facts of `curated.jsonl`.

    pip install pytickersymbols==1.17.10
    python knowledge_graphs/finance/build.py
 The output depends on the two inputs alone. `curated.jsonl` is written by hand: legal and Chinese names, the
currency in which a company reports, and chief executives as of the date beside each. From pytickersymbols
come the other companies, their ticker symbols, and membership in indices. Its records were gathered by a
program and contradict each other in places, so a country is kept only when the country field and the ISIN
agree in all records of a company, and a trading currency only when it is that of the main listing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytickersymbols import PyTickerSymbols

FOLDER = Path(__file__).parent
INDICES = {
    "CAC_40": "CAC 40",
    "DAX": "DAX",
    "DOW JONES": "Dow Jones Industrial Average",
    "EURO STOXX 50": "EURO STOXX 50",
    "FTSE 100": "FTSE 100",
    "NASDAQ 100": "NASDAQ-100",
    "S&P 100": "S&P 100",
    "Switzerland 20": "SMI",
}
# Name and ticker of these records belong to two different companies (STMicroelectronics, Smiths Group).
FAULTY = {"STABILUS SE", "SES S.A."}
TICKER = re.compile(r"[A-Z0-9-]+(\.[A-Z]{1,2})?")
HEADER = {
    "graph": "finance",
    "licence": "MIT; see LICENSE.md",
    "source": "pytickersymbols 1.17.10 and curated.jsonl",
    "relations": {
        "chief_executive": "the person who led the company on the date beside it",
        "country": "where the head office is",
        "member_of": "a stock index in which the company was listed when the source was published",
        "reporting_currency": "the currency of the company's accounts",
        "trading_currency": "the currency in which the main listing is quoted",
    },
}

Record = dict[str, Any]


def main() -> None:
    """Read both inputs, join them by ticker symbol, write the graph."""
    curated = [json.loads(line) for line in (FOLDER / "curated.jsonl").read_text("utf-8").splitlines()]
    countries = {entity["label"]["en"]: entity["id"] for entity in curated if entity["class"] == "Country"}
    currencies = {entity["id"] for entity in curated if entity["class"] == "Currency"}
    by_ticker = {
        notation: entity
        for entity in curated
        if entity["class"] == "Company"
        for notation in entity["notations"]
    }
    companies: dict[str, Record] = {entity["id"]: entity for entity in by_ticker.values()}
    for name, records in sorted(records_by_name().items()):
        tickers = sorted(
            {record["symbol"] for record in records if TICKER.fullmatch(record.get("symbol", ""))}
        )
        known = [by_ticker[ticker] for ticker in tickers if ticker in by_ticker]
        company = known[0] if known else companies.setdefault(f"company/{slug(name)}", new_company(name))
        company["notations"] = sorted({*company["notations"], *tickers})
        relations = company["relations"]
        if not known and (country := agreed_country(records, countries)):
            relations["country"] = [country]
        traded = {f"currency/{code}" for code in main_currencies(records)} & currencies
        relations["trading_currency"] = sorted({*relations.get("trading_currency", ()), *traded})
        relations["member_of"] = sorted(
            {*relations.get("member_of", ()), *(f"index/{slug(record['index'])}" for record in records)}
        )
    indices = [
        {"id": f"index/{slug(name)}", "class": "Index", "label": {"en": name}} for name in INDICES.values()
    ]
    others = [entity for entity in curated if entity["class"] != "Company"]
    entities = [*others, *indices, *(companies[id_] for id_ in sorted(companies))]
    lines = [json.dumps(tidy(record), ensure_ascii=False) for record in (HEADER, *entities)]
    (FOLDER / "graph.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def records_by_name() -> dict[str, list[Record]]:
    """The source's records of all indices, each with the index it was found in, grouped by company name."""
    source = PyTickerSymbols()
    grouped: dict[str, list[Record]] = {}
    for index, title in INDICES.items():
        for record in source.get_stocks_by_index(index):
            name = re.sub(r" \(.*\)$", "", unicodedata.normalize("NFC", record["name"])).strip()
            if name not in FAULTY:
                grouped.setdefault(name, []).append({**record, "index": title})
    return grouped


def new_company(name: str) -> Record:
    """A company of which only the source's name is known."""
    return {
        "id": f"company/{slug(name)}",
        "class": "Company",
        "label": {"en": name},
        "notations": [],
        "relations": {},
    }


def agreed_country(records: Iterable[Record], countries: dict[str, str]) -> str | None:
    """The country that every record names and every ISIN begins with, if there is one."""
    named = {countries.get(record.get("country", "")) for record in records}
    registered = {f"country/{isin[:2]}" for record in records for isin in record.get("isins", ())}
    return named.pop() if len(named) == 1 and named == registered else None


def main_currencies(records: Iterable[Record]) -> set[str]:
    """The currencies of those listings whose symbol is the company's main symbol."""
    return {
        listing["currency"]
        for record in records
        for listing in record.get("symbols", ())
        if listing.get("yahoo") == record.get("symbol") and listing.get("currency")
    }


def slug(name: str) -> str:
    """Lower-case ASCII words joined by hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "-".join(re.findall(r"[a-z0-9]+", ascii_name.lower()))


def tidy(record: Record) -> Record:
    """The record without empty members."""
    kept = {key: value for key, value in record.items() if value not in ([], {})}
    if "class" in kept and "relations" in kept:
        relations = {relation: ends for relation, ends in sorted(kept["relations"].items()) if ends}
        kept["relations"] = relations
    return kept


if __name__ == "__main__":
    main()
