"""The catalogue that comes with the package: complete, strict, and safe to download from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from pydantic import ValidationError

from pipeline.catalogue import (
    Catalogue,
    CatalogueError,
    Publisher,
    Source,
    SourceFile,
    load_catalogue,
    starter_set,
    starter_state,
)
from pipeline.catalogue.describe import PAGE, sources_page
from pipeline.catalogue.load import SOURCES, load_sources

COMMIT = "e1faf65abc2e0a883ad0da16faebaf44f8cab2cc"
FOLDERS = {
    "R1H": "BART",
    "RF4": "BHR",
    "RJ1": "GUYS",
    "R1K": "LNWU",
    "RJ2": "LEGR",
    "RJZ": "KICO",
    "RQM": "CHWE",
    "RQX": "HOME",
    "RVR": "EPSH",
    "RYJ": "IMPC",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_every_source_of_the_data_page_is_there(catalogue):
    assert set(catalogue.ids) == {
        "spend_over_25k",
        "provider_accounts",
        "digital_maturity",
        "workforce",
        "organisations",
        "epr_suppliers",
        "medical_records_cost",
        "fdp",
        "dspt",
        "virtual_wards",
        "gdp_deflator",
        "nhs_app",
    }


def test_the_london_collection_is_pinned_file_by_file(catalogue):
    pinned = [one for one in catalogue.source("spend_over_25k").files if one.pinned]
    assert len(pinned) == 95
    for file in pinned:
        code, name = file.path.split("/")
        parts = urlsplit(file.address)
        assert parts.hostname == "raw.githubusercontent.com"
        assert unquote(parts.path) == (
            f"/crahal/NHSSpend/{COMMIT}/chpi/data/raw/{FOLDERS[code]}/{name}"
        )
        assert file.organisation_code == code
        assert file.starter
        assert file.bytes


def test_every_github_address_names_a_whole_commit_not_a_branch(catalogue):
    for source in catalogue.sources:
        for file in source.files:
            parts = urlsplit(file.address)
            if parts.hostname == "raw.githubusercontent.com":
                commit = parts.path.split("/")[3]
                assert len(commit) == 40, file.address
                assert int(commit, 16), file.address
                assert file.pinned, f"{file.path}: a copy without a checksum proves nothing"


def test_every_source_says_who_where_how_and_under_which_licence(catalogue):
    for source in catalogue.sources:
        assert source.landing_page, source.id
        assert source.links or source.files or source.publishers, source.id
        assert len(source.how_found) > 40, source.id
        open_licence = source.licence.startswith("Open Government Licence v3.0")
        assert open_licence or "not automatically open" in source.licence, source.id


def test_a_freedom_of_information_release_is_not_called_open(catalogue):
    assert "Open Government" not in catalogue.source("epr_suppliers").licence


def test_pages_of_publishers_are_given_only_with_evidence(catalogue):
    publishers = catalogue.source("spend_over_25k").publishers
    assert set(FOLDERS) <= {one.organisation_code for one in publishers}
    for one in publishers:
        assert (one.page is None) == (one.page_evidence is None), one.organisation_code


def test_no_address_leads_to_a_private_or_unnamed_host(catalogue):
    for source in catalogue.sources:
        for host in source.allowed_hosts:
            assert "." in host
            assert host == host.lower()
            assert not host.replace(".", "").isdigit()
            assert not host.endswith((".local", ".internal", ".localhost"))


def test_an_empty_tree_lacks_every_part_of_the_starter_set(catalogue, tmp_path):
    states = starter_state(catalogue, tmp_path)
    assert {one.source_id for one in states} == {
        "spend_over_25k",
        "provider_accounts",
        "organisations",
        "digital_maturity",
        "workforce",
    }
    assert len(starter_set(catalogue)) == len(states)
    assert not any(one.complete for one in states)
    spend = next(one for one in states if one.source_id == "spend_over_25k")
    assert "95 of 95 files are missing" in spend.sentence


def test_foundation_trusts_do_not_stand_in_for_nhs_trusts(catalogue, tmp_path):
    folder = tmp_path / "provider_accounts"
    folder.mkdir()
    name = "TAC-data-published-in-NHS-foundation-trusts-accounts-for-2020-21.xlsx"
    (folder / name).write_bytes(b"x")
    (folder / "2020-21-NHS-Provider-TAC-Illustrative-file.xlsx").write_bytes(b"x")
    (state,) = [
        one for one in starter_state(catalogue, tmp_path) if one.source_id == "provider_accounts"
    ]
    assert not state.complete
    assert "NHS trusts for 2020/21 is missing" in state.sentence
    assert "foundation" not in state.sentence


def test_the_page_about_sources_says_what_the_catalogue_says(catalogue):
    written = PAGE.read_text(encoding="utf-8")
    assert written == sources_page(catalogue), "run: python -m pipeline.catalogue.describe"


@pytest.mark.real
def test_checksums_and_sizes_are_those_of_the_real_files(catalogue, real_raw):
    checked = 0
    for source in catalogue.sources:
        for file in source.files:
            if file.pinned:
                content = (real_raw / source.id / file.path).read_bytes()
                assert hashlib.sha256(content).hexdigest() == file.sha256, file.path
                assert len(content) == file.bytes, file.path
                checked += 1
    assert checked >= 95


@pytest.mark.real
def test_every_real_spend_file_is_in_the_catalogue(catalogue, real_raw):
    folder = real_raw / "spend_over_25k"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert here == {one.path for one in catalogue.source("spend_over_25k").files if one.pinned}


@pytest.mark.real
def test_every_real_file_is_of_a_format_and_size_its_source_expects(catalogue, real_raw):
    for source in catalogue.sources:
        folder = real_raw / source.id
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file():
                assert path.suffix.lstrip(".").lower() in source.formats, path
                assert source.min_bytes <= path.stat().st_size <= source.max_bytes, path


class TestStrictness:
    """What a catalogue file may not say."""

    def entry(self) -> dict:
        return yaml.safe_load((SOURCES / "digital_maturity.yaml").read_text(encoding="utf-8"))

    def test_the_original_is_accepted(self):
        assert Source.model_validate(self.entry()).id == "digital_maturity"

    def test_an_unknown_field_is_an_error(self):
        with pytest.raises(ValidationError, match="landing_pages"):
            Source.model_validate(self.entry() | {"landing_pages": "x"})

    @pytest.mark.parametrize(
        "address",
        [
            "http://digital.nhs.uk/x.xlsx",
            "https://digital.nhs.uk:8443/x.xlsx",
            "https://user@digital.nhs.uk/x.xlsx",
            "ftp://digital.nhs.uk/x.xlsx",
            "https:///x.xlsx",
        ],
    )
    def test_only_plain_https_addresses_are_accepted(self, address):
        with pytest.raises(ValidationError, match="address"):
            SourceFile.model_validate({"path": "x.xlsx", "address": address})

    @pytest.mark.parametrize(
        "path",
        ["../x.csv", "/etc/x.csv", "a/../../x.csv", "a\\b.csv", ".hidden.csv", "a~b.csv", ""],
    )
    def test_a_path_stays_inside_the_sources_folder(self, path):
        with pytest.raises(ValidationError):
            SourceFile.model_validate({"path": path, "address": "https://www.gov.uk/x.csv"})

    def test_a_host_not_named_is_an_error(self):
        with pytest.raises(ValidationError, match="is not among hosts"):
            Source.model_validate(self.entry() | {"hosts": ["www.gov.uk"]})

    def test_a_page_without_evidence_is_an_error(self):
        with pytest.raises(ValidationError, match="page_evidence"):
            Publisher.model_validate(
                {"organisation_code": "ABC", "name": "x", "page": "https://www.gov.uk/"}
            )

    def test_the_error_names_file_and_field(self, tmp_path: Path):
        (tmp_path / "digital_maturity.yaml").write_text(
            yaml.safe_dump(self.entry() | {"calendar": {"cadence": "weekly"}}), encoding="utf-8"
        )
        with pytest.raises(CatalogueError, match=r"digital_maturity\.yaml: calendar\.cadence"):
            load_sources(tmp_path)

    def test_the_file_is_called_after_its_id(self, tmp_path: Path):
        (tmp_path / "maturity.yaml").write_text(yaml.safe_dump(self.entry()), encoding="utf-8")
        with pytest.raises(CatalogueError, match="must agree"):
            load_sources(tmp_path)

    def test_an_unknown_source_is_refused_with_the_list(self, catalogue):
        with pytest.raises(KeyError, match="spend_over_25k"):
            catalogue.source("spend")
