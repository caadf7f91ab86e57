"""Small spend files of publishers that do not exist, and how to read them all."""

from __future__ import annotations

from pathlib import Path

from pipeline.ingest.files import RawFile, list_raw_files
from pipeline.ingest.payments.cache import SpendCache
from pipeline.ingest.payments.lines import PaymentLines, read_payment_lines
from pipeline.ingest.report import FileReport
from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend

HEADER = "Date,Expense type,Expense area,Supplier,Transaction number,Amount\n"


def table(month: int, n: int = 12, add: int = 0) -> str:
    """Payments of one month of 2020; ``add`` changes their amounts."""
    return HEADER + "".join(
        f"{13 + i % 15}/{month:02d}/2020,Drugs,Pharmacy,Larkspur {i} Ltd,{month}{i},{26_000 + i + add}.50\n"
        for i in range(n)
    )


def put(raw: Path, name: str, text: str, folder: str = "RZZ") -> None:
    path = raw / "spend_over_25k" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def files(raw: Path) -> dict[str, RawFile]:
    return {f.name: f for f in list_raw_files(raw)}


def read(raw: Path, cache: SpendCache | None = None) -> PaymentLines:
    return read_payment_lines(list_raw_files(raw), None, cache=cache)


def read_one(name: str, content: bytes | str) -> tuple[SpendBatch, FileReport]:
    """Read one file offered under a name."""
    data = content.encode() if isinstance(content, str) else content
    path = f"spend_over_25k/RZZ/{name}"
    batch = read_spend([SpendInput(path, lambda: data)])
    return batch, batch.reports[path]
