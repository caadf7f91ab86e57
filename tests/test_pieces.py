"""A year is put together of pieces: only those that changed are packed, and the bytes are the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest
from spend_files import put, table

from pipeline.refresh import assembled, pieces
from pipeline.refresh.context import Run
from pipeline.refresh.payments import build_payments
from pipeline.settings import Settings
from pipeline.store import footer, joined

CODES = ("RZW", "RZX", "RZY", "RZZ")


class World:
    """A raw tree, places to build it, and what was packed."""

    def __init__(self, folder: Path, packed: list[tuple[str, ...]]) -> None:
        self.folder, self.packed = folder, packed
        for code in CODES:
            for month in (4, 5):
                self.put(f"Spend 2020-21 {month:02d}.csv", table(month), code)

    def put(self, name: str, text: str, code: str) -> None:
        put(self.folder / "raw", name, text, code)

    def build(self, out: str) -> dict[str, str]:
        self.packed.clear()
        settings = Settings(raw=self.folder / "raw", out=self.folder / out, threads=1)
        build_payments(Run(settings), None)
        left = [path.name for path in self.folder.rglob("*.tmp")]
        assert not left
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in self.files(out)}

    def files(self, out: str) -> list[Path]:
        return sorted((self.folder / out / ".work/tables/facts/payment").glob("*.parquet"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    packed: list[tuple[str, ...]] = []
    merge = pieces.merged_piece

    def merged(*given: object) -> Path:
        packed.append(tuple(sorted(given[-1])))  # type: ignore[call-overload]
        return merge(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pieces, "merged_piece", merged)
    monkeypatch.setattr(pieces, "PIECE", 48)  # two of these publishers
    return World(tmp_path, packed)


def test_one_new_month_packs_the_piece_of_its_publisher(world: World) -> None:
    world.build("out")
    assert world.packed == [("RZW", "RZX"), ("RZY", "RZZ")]
    assert world.build("out")
    assert world.packed == []
    world.put("Spend 2020-21 06.csv", table(6), "RZZ")
    found = world.build("out")
    assert world.packed == [("RZY",), ("RZZ",)]  # too many for one piece now
    world.put("Spend 2020-21 07.csv", table(7, n=2), "RZY")
    found = world.build("out")
    assert world.packed == [("RZY",)]
    assert world.build("anew") == found
    assert world.packed == [("RZW", "RZX"), ("RZY",), ("RZZ",)]


def test_a_publisher_less_moves_the_others_without_packing_them(world: World) -> None:
    for month in (6, 7):
        for code in ("RZW", "RZX"):
            world.put(f"Spend 2020-21 {month:02d}.csv", table(month), code)
    world.build("out")
    assert world.packed == [("RZW",), ("RZX",), ("RZY", "RZZ")]
    for path in (world.folder / "raw/spend_over_25k/RZX").iterdir():
        path.unlink()
    found = world.build("out")
    assert world.packed == []
    assert world.build("anew") == found


def test_a_damaged_year_is_packed_from_nothing(world: World) -> None:
    found = world.build("out")
    world.put("Spend 2020-21 06.csv", table(6, n=2), "RZX")
    path = world.files("out")[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    again = world.build("out")
    assert len(world.packed) == 3
    assert again == world.build("anew") != found


def test_a_year_that_does_not_fit_is_packed_from_nothing_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.build("out")
    world.put("Spend 2020-21 06.csv", table(6, n=2), "RZX")
    before = world.files("out")[0]

    def another_writer(path: Path) -> tuple[footer.Fields, int]:
        fields, end = footer.read_footer(path)
        return (fields | {6: (footer.BINARY, b"another")} if path == before else fields), end

    with monkeypatch.context() as patched:
        patched.setattr(joined, "read_footer", another_writer)
        with pytest.raises(joined.UnlikeError):
            world.build("out")
    found = world.build("out")
    assert len(world.packed) == 3
    assert world.build("anew") == found


def test_copies_found_later_change_the_piece_they_are_in(world: World) -> None:
    world.build("out")
    again = table(4) + "30/04/2020,Drugs,Ward,New Ltd,9,30000\n"
    world.put("All 2019-20.csv", again, "RZY")  # the name of another year
    found = world.build("out")
    flagged = pl.concat([pl.read_parquet(path) for path in world.files("out")])
    assert flagged.filter("is_duplicate")["organisation_code"].unique().to_list() == ["RZY"]
    assert ("RZW", "RZX") not in world.packed
    assert world.build("anew") == found


def test_another_packer_packs_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = world.build("out")
    for module in (pieces, assembled):
        monkeypatch.setattr(module, "packer", lambda: "another library")
    assert world.build("out") == found
    assert world.packed == [("RZW", "RZX"), ("RZY", "RZZ")]


def test_a_year_that_cannot_be_written_leaves_no_piece(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in CODES:
        world.put("Spend 2019-20 12.csv", table(3), code)  # a second year, packed meanwhile

    def full(*_: object) -> None:
        raise OSError("no space left on the disk")

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.store.tables.join", full)
        with pytest.raises(OSError, match="no space"):
            world.build("out")
    assert world.packed
    assert not [path.name for path in world.folder.rglob("*.tmp")]
    assert world.build("out") == world.build("anew")
