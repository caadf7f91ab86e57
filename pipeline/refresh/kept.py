"""What is kept of each portion of spend files between refreshes, so that only what changed is redone.

Of a portion there is a state (JSON), its payments (one Parquet file a financial year) and its
rejected rows. The state names the others with their hashes and is written last: killed in between, a
portion is as it was before. What does not open, or is not what the state says, is thrown away and
made again.

Belongs here: keeping and finding. Does not belong here: when something kept is still good
(``payments``).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.ingest.payments.borrowed import NEEDED
from pipeline.ingest.payments.portions import Portion
from pipeline.ingest.report import REJECTED_SCHEMA
from pipeline.ingest.runs import only_one
from pipeline.schema import table
from pipeline.store.location import Location
from pipeline.store.tables import listed_columns

if TYPE_CHECKING:
    from pipeline.corrections import Found


class DamagedError(RuntimeError):
    """Something kept is not what was written; ``portion`` says of which portion."""

    def __init__(self, portion: str) -> None:
        super().__init__(f"what is kept of the portion {portion} is damaged")
        self.portion = portion

    def __reduce__(self) -> tuple[type[DamagedError], tuple[str]]:
        return DamagedError, (self.portion,)


@dataclass(frozen=True)
class Part:
    """One kept Parquet file.

    Attributes:
        name: where it is kept.
        sha256: of its bytes.
        rows: rows by organisation code.
    """

    name: str
    sha256: str
    rows: dict[str, int]

    @property
    def portion(self) -> str:
        """The portion it is of."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class State:
    """What is known of a portion.

    Attributes:
        typed_key: what reading its files depended on.
        orders: folder -> date orders that its decided files show.
        undecided: paths whose dates can be read both ways.
        key: what everything below depended on; empty while the portion is not finished.
        organisations: codes of the publishers of its lines.
        files: rows of ``meta.source_file``.
        found: what entries of the corrections ledger found.
        parts: financial year -> payments.
        rejected: rows of ``meta.rejected_row``, when there are any.
        uncorrected: the lines before the ledger changed them, as far as files may share them.
    """

    typed_key: str
    orders: dict[str, list[str]]
    undecided: list[str]
    key: str = ""
    organisations: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    rejected: Part | None = None
    uncorrected: Part | None = None

    @property
    def names(self) -> list[str]:
        """Names of its Parquet files."""
        own = (*self.parts.values(), self.rejected, self.uncorrected)
        return [part.name for part in own if part]

    @property
    def as_published(self) -> list[Part]:
        """Its lines before any correction, in some columns at least."""
        return [self.uncorrected] if self.uncorrected else list(self.parts.values())


class Kept:
    """States and Parquet files of portions at one location."""

    def __init__(self, where: Location) -> None:
        self.where = where

    def state(self, portion: Portion) -> State | None:
        """The state of a portion, or None when there is none that can be trusted."""
        try:
            return _state_of(self.where.read(_state_name(portion.id)))
        except FileNotFoundError:
            return None
        except Exception:  # whatever is wrong with it, the portion is made again
            self.where.remove(_state_name(portion.id))
            return None

    def put_state(self, portion: Portion, state: State) -> None:
        """Keep a state; the Parquet files it names must be kept already."""
        self.where.write(_state_name(portion.id), _sealed(vars(state)))

    def put_frame(self, portion: Portion, kind: str, frame: pl.DataFrame) -> Part:
        """Keep rows of a portion under a name that tells their content.

        Args:
            portion: whose they are.
            kind: a financial year, or ``rejected``.
            frame: the rows, in their final order.
        """
        content = _as_parquet(frame)
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{portion.id}.{kind.replace('/', '-')}.{sha256[:12]}.parquet"
        self.where.write(name, content)
        rows: Counter[str] = Counter()
        if "organisation_code" in frame.columns:
            codes = frame["organisation_code"]
            if only_one(codes):
                rows[codes[0]] = len(codes)
            else:  # most rows stand in its order
                for length, code in codes.rle().struct.unnest().iter_rows():
                    rows[code] += length
        return Part(name, sha256, dict(sorted(rows.items())))

    def frame(self, part: Part, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows of a part, in all columns or some.

        Raises:
            DamagedError: when they are not what was kept.
        """
        return pl.read_parquet(self._content(part), columns=list(columns) if columns else None)

    def frames(self, parts: Sequence[Part]) -> list[pl.DataFrame]:
        """The rows of parts of payments, each by itself; to read many at once takes half the time.

        Raises:
            DamagedError: when they are not what was kept.
        """
        if not parts:
            return []
        together = pl.read_parquet([self._content(part) for part in parts])
        ends = list(accumulate(sum(part.rows.values()) for part in parts))
        if ends[-1] != together.height:
            raise DamagedError(parts[0].portion)
        return [together[start:end] for start, end in pairwise([0, *ends])]

    def _content(self, part: Part) -> io.BytesIO:
        """The bytes of a part, as they were kept."""
        try:
            content = self.where.read(part.name)
        except FileNotFoundError as error:
            raise DamagedError(part.portion) from error
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise DamagedError(part.portion)
        return io.BytesIO(content)

    def payments(self, told: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """The payments of some parts, as far as typed lines are made of them.

        Args:
            told: the parts, as they were noted.

        Raises:
            DamagedError: when they are not what was kept.
        """
        none = pl.DataFrame(schema=table("facts.payment").polars).select(NEEDED)
        return pl.concat([none, *(self.frame(Part(**part), NEEDED) for part in told)])

    def rejected(self, states: Iterable[State]) -> pl.DataFrame:
        """The rejected rows of some portions."""
        frames = [self.frame(s.rejected) for s in states if s.rejected]
        return pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *frames])

    def forget(self, portion_id: str) -> None:
        """Forget a portion, so that it is made again."""
        self.where.remove(_state_name(portion_id))

    def note(self, name: str) -> dict[str, Any]:
        """A note about all portions together; empty when there is none that can be read."""
        try:
            return _unsealed(self.where.read(f"{name}.json"))
        except (FileNotFoundError, ValueError):
            return {}

    def put_note(self, name: str, told: Mapping[str, Any]) -> None:
        """Keep a note."""
        self.where.write(f"{name}.json", _sealed(told))

    def prune(
        self, portions: Sequence[Portion], states: Iterable[State], notes: Iterable[str]
    ) -> int:
        """Remove what belongs to no portion any more; returns how many files."""
        keep = {_state_name(p.id) for p in portions} | {f"{note}.json" for note in notes}
        keep |= {name for state in states for name in state.names}
        stale = [name for name in self.where.names() if name not in keep]
        for name in stale:
            self.where.remove(name)
        return len(stale)


def _as_parquet(frame: pl.DataFrame) -> bytes:
    """Rows as they are kept: quickly written, and read once or twice.

    PyArrow can be told not to list the different values of sums and of texts that hardly come again.
    """
    import pyarrow.parquet as pq  # slow to import, and few commands write

    buffer = io.BytesIO()
    pq.write_table(
        frame.to_arrow(compat_level=pl.CompatLevel.newest()),
        buffer,
        compression="lz4",
        write_statistics=False,
        store_schema=False,
        use_dictionary=listed_columns(frame.schema),  # pyright: ignore[reportArgumentType]
    )
    return buffer.getvalue()


def _state_name(portion_id: str) -> str:
    return f"{portion_id}.json"


def _sealed(told: Mapping[str, Any]) -> bytes:
    body = json.dumps(told, ensure_ascii=False, default=vars).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _unsealed(data: bytes) -> dict[str, Any]:
    seal, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise ValueError("the seal does not fit")
    return json.loads(body)


def _state_of(data: bytes) -> State:
    told = _unsealed(data)
    if told["found"]:
        from pipeline.corrections import Found  # slow to import, and most portions have none

        told["found"] = [
            Found(f["id"], tuple(f["scope"]), f["rows"], tuple(f["seen"])) for f in told["found"]
        ]
    told["parts"] = {year: Part(**part) for year, part in told["parts"].items()}
    for name in ("rejected", "uncorrected"):
        told[name] = Part(**told[name]) if told[name] else None
    return State(**told)
