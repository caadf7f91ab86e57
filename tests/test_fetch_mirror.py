"""Mirrors: the same tree from a folder or a server, with the same checks."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fetch_servers import ERROR_PAGE, HOST, QUICK, SPEND, one_file, source, stored

from pipeline.catalogue import Catalogue, load_catalogue, starter_state
from pipeline.fetch import HostPolicy, RefusedError, fetch


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A folder laid out as a raw tree, with two files and things that do not belong."""
    top = tmp_path / "mirror" / "spend_over_25k" / "ABC"
    top.mkdir(parents=True)
    (top / "spend.csv").write_bytes(SPEND)
    (top / "May 2020.csv").write_bytes(SPEND + b"x,,,,,,,\n")
    (top / ".DS_Store").write_bytes(b"x" * 500)
    (top / "notes.docx").write_bytes(b"x" * 500)
    (tmp_path / "mirror" / "unknown_source").mkdir()
    (tmp_path / "mirror" / "unknown_source" / "x.csv").write_bytes(SPEND)
    return tmp_path / "mirror"


@pytest.fixture
def mirror_server(mirror: Path) -> Iterator[str]:
    """The same folder behind Python's own web server, as a colleague would offer it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(mirror))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


WANTED = {"spend_over_25k/ABC/May 2020.csv", "spend_over_25k/ABC/spend.csv"}


def test_a_folder_gives_what_belongs_to_the_catalogues_sources(mirror, tmp_path):
    report = fetch(one_file(), tmp_path / "raw", mirror=mirror)
    assert report.ok
    assert set(stored(tmp_path / "raw")) == WANTED


def test_a_server_gives_the_same_tree_from_its_listing(mirror_server, tmp_path):
    report = fetch(one_file(), tmp_path / "raw", mirror=mirror_server, limits=QUICK)
    assert report.ok, report.sentences()
    assert set(stored(tmp_path / "raw")) == WANTED
    again = fetch(one_file(), tmp_path / "raw", mirror=mirror_server, limits=QUICK)
    assert again.counts() == {"unchanged": 2}


def test_a_server_that_hides_its_listing_still_gives_the_catalogues_files(
    mirror_server, mirror, tmp_path
):
    (mirror / "spend_over_25k" / "index.html").write_bytes(ERROR_PAGE)
    report = fetch(one_file(), tmp_path / "raw", mirror=mirror_server, limits=QUICK)
    assert set(stored(tmp_path / "raw")) == {"spend_over_25k/ABC/spend.csv"}
    assert report.ok


def test_a_pinned_file_must_be_the_pinned_one_on_a_mirror_too(mirror, tmp_path):
    pinned = one_file(sha256=hashlib.sha256(b"other").hexdigest(), bytes=len(SPEND))
    report = fetch(pinned, tmp_path / "raw", mirror=mirror)
    (bad,) = [one for one in report.outcomes if one.state == "failed"]
    assert "pins" in bad.sentence
    assert set(stored(tmp_path / "raw")) == WANTED - {"spend_over_25k/ABC/spend.csv"}


def test_versions_on_a_mirror_keep_their_names(mirror, tmp_path):
    later = SPEND.replace(b"30000", b"31000")
    (mirror / "spend_over_25k/ABC/spend~20260401T093000Z.csv").write_bytes(later)
    raw = tmp_path / "raw"
    fetch(one_file(), raw, mirror=mirror)
    assert stored(raw)["spend_over_25k/ABC/spend~20260401T093000Z.csv"] == later
    assert fetch(one_file(), raw, mirror=mirror).counts() == {"unchanged": 3}


def test_a_link_that_leads_out_of_the_mirror_is_not_followed(mirror, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(SPEND)
    (mirror / "spend_over_25k/ABC/link.csv").symlink_to(secret)
    (mirror / "spend_over_25k/out").symlink_to(tmp_path)
    fetch(one_file(), tmp_path / "raw", mirror=mirror)
    assert set(stored(tmp_path / "raw")) == WANTED


@pytest.mark.usefixtures("shut")
def test_a_folder_that_may_not_be_looked_into_is_told(mirror, tmp_path):
    assert fetch(one_file(), tmp_path / "before", mirror=mirror).ok
    (mirror / "spend_over_25k" / "shut").mkdir()
    report = fetch(one_file(), tmp_path / "raw", mirror=mirror)
    assert not report.ok
    assert "Permission denied" in str(report)


def test_a_listing_cannot_lead_out_of_the_tree(tmp_path):
    from fetch_servers import misbehaving_server

    with misbehaving_server() as server:
        hostile = (
            "<html><a href='../../etc/x.csv'>1</a><a href='/spend_over_25k/..%2f..%2fx.csv'>2</a>"
            "<a href='/spend_over_25k/a%5c..%5cx.csv'>3</a><a href='https://evil.net/x.csv'>4</a>"
            "<a href='/spend_over_25k/.hidden.csv'>5</a><a href='/spend_over_25k/ok.csv'>6</a>"
            "<a href='/spend_over_25k/%00.csv'>7</a></html>"
        )
        server.serve("/spend_over_25k/", hostile.encode(), kind="text/html")
        for path in ("/spend_over_25k/ok.csv", "/etc/x.csv", "/x.csv"):
            server.serve(path)
        address = f"http://127.0.0.1:{server.port}/"
        fetch(one_file(), tmp_path / "raw", mirror=address, limits=QUICK)
        assert {one.path for one in server.requests} == {
            "/spend_over_25k/",
            "/spend_over_25k/ok.csv",
        }
    assert set(stored(tmp_path)) == {"raw/spend_over_25k/ok.csv"}


def test_html_in_place_of_a_csv_is_refused_from_a_mirror_too(mirror, tmp_path):
    (mirror / "spend_over_25k/ABC/spend.csv").write_bytes(ERROR_PAGE * 10)
    report = fetch(one_file(), tmp_path / "raw", mirror=mirror)
    assert report.counts() == {"fetched": 1, "failed": 1}


def test_a_source_the_mirror_lacks_is_a_failure_only_when_asked_for(mirror, tmp_path):
    two = Catalogue((one_file().sources[0], source(id="workforce")))
    assert fetch(two, tmp_path / "raw", mirror=mirror).ok
    assert not fetch(two, tmp_path / "raw", mirror=mirror, sources=["workforce"]).ok


def test_a_dry_run_from_a_folder_knows_what_is_here_already(mirror, tmp_path):
    raw = tmp_path / "raw"
    report = fetch(one_file(), raw, mirror=mirror, dry_run=True)
    assert report.counts() == {"would fetch": 2}
    named = next(s for s in report.sentences() if s.startswith("would fetch: "))
    assert all(one.path.rpartition("/")[2] in named for one in report.outcomes)
    assert not raw.exists()
    fetch(one_file(), raw, mirror=mirror)
    assert fetch(one_file(), raw, mirror=mirror, dry_run=True).counts() == {"unchanged": 2}


def test_offline_a_folder_works_and_a_server_is_not_tried(mirror, mirror_server, tmp_path):
    raw = tmp_path / "raw"
    refused = fetch(one_file(), raw, mirror=mirror_server, offline=True)
    assert "no network was tried" in refused.sentences()[-1]
    assert not refused.ok
    assert fetch(one_file(), raw, offline=True).outcomes == ()
    assert not raw.exists()
    assert fetch(one_file(), raw, mirror=mirror, offline=True).stored == 2


@pytest.mark.parametrize("mirror", ["ftp://x/y", "/no/such/folder", "http://", "http://[bad"])
def test_a_mirror_that_is_neither_folder_nor_server_is_refused(mirror, tmp_path):
    with pytest.raises(RefusedError):
        fetch(one_file(), tmp_path / "raw", mirror=mirror)


class TestPolicy:
    """Where downloads may go."""

    @pytest.mark.parametrize(
        "machine",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "0.0.0.0",
            "::ffff:10.0.0.1",
            "100.64.0.1",
            "224.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "::127.0.0.1",
            "fec0::1",
            "5f00::1",
        ],
    )
    def test_a_catalogue_host_that_leads_to_a_private_address_is_refused(self, machine):
        policy = HostPolicy(frozenset({HOST}), direct=True, resolve=lambda _: [machine])
        with pytest.raises(RefusedError, match="not a public address"):
            policy.check(f"https://{HOST}/x.csv")

    @pytest.mark.parametrize("sign", ["\r\n", "\t", "\x00", "\\"])
    def test_signs_that_other_programs_read_otherwise_are_refused(self, sign):
        policy = HostPolicy(frozenset({HOST}), direct=True, resolve=lambda _: ["93.184.215.14"])
        with pytest.raises(RefusedError, match="control signs"):
            policy.check(f"https://{HOST}/{sign}@evil.example/x.csv")

    def test_public_addresses_of_both_kinds_are_allowed(self):
        machines = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
        policy = HostPolicy(frozenset({HOST}), direct=True, resolve=lambda _: machines)
        policy.check(f"https://{HOST}/a file.csv")

    def test_one_private_address_among_public_ones_is_enough_to_refuse(self):
        policy = HostPolicy(
            frozenset({HOST}), direct=True, resolve=lambda _: ["93.184.215.14", "10.0.0.1"]
        )
        with pytest.raises(RefusedError):
            policy.check(f"https://{HOST}/x.csv")

    def test_a_public_address_is_allowed_over_https_only(self):
        policy = HostPolicy(frozenset({HOST}), direct=True, resolve=lambda _: ["93.184.215.14"])
        policy.check(f"https://{HOST}/x.csv")
        with pytest.raises(RefusedError, match="not https"):
            policy.check(f"http://{HOST}/x.csv")

    def test_a_mirror_may_be_this_machine_but_never_the_cloud_metadata_address(self):
        policy = HostPolicy.of_mirror("http://127.0.0.1:8000/raw")
        policy.check("http://127.0.0.1:8000/raw/x.csv")
        with pytest.raises(RefusedError):
            policy.check("http://127.0.0.1:9000/raw/x.csv")
        with pytest.raises(RefusedError):
            HostPolicy.of_mirror("http://169.254.169.254/").check("http://169.254.169.254/x")

    def test_a_mirror_on_the_public_internet_must_be_https(self):
        with pytest.raises(RefusedError, match="must be https"):
            HostPolicy.of_mirror("http://93.184.215.14/raw")

    def test_an_answer_from_another_machine_than_the_name_promised_is_refused(self):
        """The name may lead to a public address when checked and a private one when called."""
        import httpx
        from fetch_servers import ToLocalServer, misbehaving_server

        policy = HostPolicy(frozenset({HOST}), direct=True, resolve=lambda _: ["93.184.215.14"])
        with misbehaving_server() as server:
            server.serve("/x.csv")
            with (
                httpx.Client(transport=ToLocalServer(server.port)) as client,
                client.stream("GET", f"https://{HOST}/x.csv") as response,
                pytest.raises(RefusedError, match=r"127\.0\.0\.1"),
            ):
                policy.check_peer(response)


@pytest.mark.real
def test_the_real_tree_as_a_mirror_gives_the_whole_london_collection(real_raw, tmp_path):
    catalogue = load_catalogue()
    report = fetch(catalogue, tmp_path, sources=["spend_over_25k"], mirror=real_raw)
    assert report.ok, report.sentences()
    assert report.counts() == {"fetched": 95}
    pins = {one.path: one for one in catalogue.source("spend_over_25k").files if one.pinned}
    assert len(pins) == 95
    for path, pin in pins.items():
        content = (tmp_path / "spend_over_25k" / path).read_bytes()
        assert len(content) == pin.bytes
        assert hashlib.sha256(content).hexdigest() == pin.sha256


@pytest.mark.real
def test_the_real_tree_as_a_mirror_completes_the_starter_set(real_raw, tmp_path):
    catalogue = load_catalogue()
    report = fetch(catalogue, tmp_path, mirror=real_raw)
    assert report.ok, report.sentences()
    assert all(part.complete for part in starter_state(catalogue, tmp_path))
