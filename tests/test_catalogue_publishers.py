"""Publishers of payments that no register names: what they are, and that their payments count."""

from __future__ import annotations

from pathlib import Path

from ingest_files import files_of, put

from pipeline.ingest.sources.organisations import read_organisations
from pipeline.refresh.context import Run
from pipeline.refresh.sources import with_national_publishers
from pipeline.settings import Settings


def test_a_trust_that_only_the_catalogue_knows_is_a_trust_and_no_national_body(
    tmp_path: Path,
) -> None:
    # One trust only: all others of the catalogue are in no register here.
    put(tmp_path, "organisations/directory.csv", "ods_code,name,type\nRJ1,Guy's NHS Trust,Acute\n")
    found = read_organisations(files_of(tmp_path, "organisations"), is_demo=False)
    run = Run(Settings(raw=tmp_path, out=tmp_path / "out"))
    kinds = dict(
        with_national_publishers(found.organisation, run)
        .select("organisation_code", "kind")
        .iter_rows()
    )
    assert kinds["R0A"] == kinds["RYJ"] == kinds["RJ1"] == "trust"
    assert kinds["QKS"] == "icb"
    assert {code for code, kind in kinds.items() if kind == "national"} == {"X24", "XDH"}
