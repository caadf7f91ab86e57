"""Downloading from servers that misbehave: what arrives is right, or is not stored."""

from __future__ import annotations

import gzip
import hashlib
import time

import httpx
import pytest
from fetch_servers import (
    ERROR_PAGE,
    HOST,
    QUICK,
    SPEND,
    Handler,
    fetch_from,
    local_policy,
    one_file,
    server,
    source,
    stored,
)

from pipeline.catalogue import Catalogue
from pipeline.fetch import fetch

__all__ = ["server"]  # a fixture: used by name


def test_a_file_is_stored_under_its_own_name_with_its_checksum(server, tmp_path):
    server.serve("/spend.csv")
    report = fetch_from(server, tmp_path)
    (outcome,) = report.outcomes
    assert report.ok
    assert outcome.state == "fetched"
    assert outcome.sha256 == hashlib.sha256(SPEND).hexdigest()
    assert outcome.stored_as == "spend_over_25k/ABC/spend.csv"
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_missing_file_is_asked_for_once_and_reported(server, tmp_path):
    report = fetch_from(server, tmp_path)
    assert not report.ok
    assert "404" in report.outcomes[0].sentence
    assert len(server.asked("/spend.csv")) == 1
    assert stored(tmp_path) == {}


def test_a_server_error_is_tried_again_until_it_passes(server, tmp_path):
    server.answers_in_turn(
        "/spend.csv",
        lambda h: h.reply(500, b"oops", "text/plain"),
        lambda h: h.reply(503, b"busy", "text/plain"),
        lambda h: h.reply(200, SPEND),
    )
    assert fetch_from(server, tmp_path).outcomes[0].state == "fetched"
    assert len(server.asked("/spend.csv")) == 3


def test_a_lasting_server_error_is_given_up_after_the_agreed_number_of_tries(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.reply(500, b"oops", "text/plain")
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "failed"
    assert "500" in report.outcomes[0].sentence
    assert len(server.asked("/spend.csv")) == QUICK.attempts


def test_a_server_that_asks_to_wait_longer_than_there_is_time_is_not_waited_for(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.reply(503, b"", "text/plain", {"Retry-After": "50"})
    began = time.monotonic()
    report = fetch_from(server, tmp_path, deadline_seconds=1.0)
    assert not report.ok
    assert time.monotonic() - began < 5


def test_a_redirect_to_a_host_of_the_catalogue_is_followed(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.reply(
        302, b"", "text/html", {"Location": "/moved/spend.csv"}
    )
    server.serve("/moved/spend.csv")
    assert fetch_from(server, tmp_path).outcomes[0].state == "fetched"


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("https://elsewhere.example.net/spend.csv", "elsewhere.example.net"),
        (f"http://{HOST}/spend2.csv", "https"),
        ("https://127.0.0.1/spend.csv", "127.0.0.1"),
        ("file:///etc/passwd", "https"),
        (f"https://user:secret@{HOST}/spend2.csv", "user name"),
        (f"https://{HOST}:8443/spend2.csv", "8443"),
    ],
)
def test_a_redirect_elsewhere_is_refused(server, tmp_path, location, word):
    server.serve("/spend2.csv")
    server.rules["/spend.csv"] = lambda h: h.reply(302, b"", "text/html", {"Location": location})
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "failed"
    assert word in report.outcomes[0].sentence
    assert {one.path for one in server.requests} == {"/spend.csv"}
    assert stored(tmp_path) == {}


def test_redirects_in_a_circle_end(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.reply(
        302, b"", "text/html", {"Location": "/spend.csv"}
    )
    assert "redirects" in fetch_from(server, tmp_path).outcomes[0].sentence
    assert len(server.asked("/spend.csv")) == QUICK.redirects + 1


def test_a_body_cut_short_is_continued_from_where_it_broke(server, tmp_path):
    server.serve("/whole.csv", etag='"v1"')
    whole = server.rules["/whole.csv"]
    server.answers_in_turn("/spend.csv", lambda h: h.cut_short(SPEND, 700, {"ETag": '"v1"'}), whole)
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "fetched"
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}
    second = server.asked("/spend.csv")[1].headers
    assert second["Range"] == "bytes=700-"
    assert second["If-Range"] == '"v1"'


def test_a_file_that_changed_while_it_was_cut_short_is_fetched_whole(server, tmp_path):
    newer = SPEND.replace(b"30000.00", b"40000.00")
    server.serve("/newer.csv", newer, etag='"v2"')
    server.answers_in_turn(
        "/spend.csv",
        lambda h: h.cut_short(SPEND, 700, {"ETag": '"v1"'}),
        server.rules["/newer.csv"],
    )
    fetch_from(server, tmp_path)
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": newer}


def test_a_server_that_continues_at_the_wrong_place_cannot_spoil_the_file(server, tmp_path):
    def wrong_place(handler: Handler) -> None:
        size = len(SPEND)
        headers = {"ETag": '"v1"', "Content-Range": f"bytes 600-{size - 1}/{size}"}
        handler.reply(206, SPEND[600:], "text/csv", headers)

    server.answers_in_turn(
        "/spend.csv",
        lambda h: h.cut_short(SPEND, 700, {"ETag": '"v1"'}),
        wrong_place,
        lambda h: h.reply(200, SPEND),
    )
    fetch_from(server, tmp_path)
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_server_that_continues_piece_by_piece_is_asked_until_all_is_here(server, tmp_path):
    size = len(SPEND)

    def piece(handler: Handler) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        end = min(start + 1000, size)
        headers = {"ETag": '"v1"', "Content-Range": f"bytes {start}-{end - 1}/{size}"}
        handler.reply(206, SPEND[start:end], "text/csv", headers)

    server.answers_in_turn("/spend.csv", lambda h: h.cut_short(SPEND, 700, {"ETag": '"v1"'}), piece)
    report = fetch_from(server, tmp_path)
    assert report.ok, report.sentences()
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_body_that_is_always_cut_short_is_never_stored(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.cut_short(SPEND, 700)
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "failed"
    assert stored(tmp_path) == {}


def test_an_unfinished_download_is_continued_by_the_next_run(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.cut_short(SPEND, 900, {"ETag": '"v1"'})
    assert not fetch_from(server, tmp_path).ok
    server.serve("/spend.csv", etag='"v1"')
    assert fetch_from(server, tmp_path).ok
    assert server.requests[-1].headers["Range"] == "bytes=900-"
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_slow_server_is_left_when_the_time_is_over(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: h.drip(SPEND, 0.05)
    began = time.monotonic()
    report = fetch_from(server, tmp_path, deadline_seconds=0.6)
    assert report.outcomes[0].state == "out of time"
    assert time.monotonic() - began < 4
    assert not report.ok
    assert stored(tmp_path) == {}


def test_a_silent_server_is_left_when_the_time_is_over(server, tmp_path):
    server.rules["/spend.csv"] = lambda h: time.sleep(3)
    began = time.monotonic()
    report = fetch_from(server, tmp_path, deadline_seconds=0.5)
    assert not report.ok
    assert time.monotonic() - began < 2.5


def _headers_without_end(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler, b"a", 0.05)


def _chunks_without_end(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=")
    _drip(handler, b"a", 0.05)


def _nothing_packed_without_end(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    handler.wfile.write(gzip.compress(b"")[:10])
    _drip(handler, b"\x00\x00\x00\xff\xff" * 2000, 0.001)  # stored blocks of no bytes


def _drip(handler: Handler, piece: bytes, seconds: float) -> None:
    handler.close_connection = True
    until = time.monotonic() + 30
    while time.monotonic() < until:
        handler.wfile.write(piece)
        handler.wfile.flush()
        time.sleep(seconds)


@pytest.mark.parametrize(
    "answer", [_headers_without_end, _chunks_without_end, _nothing_packed_without_end]
)
def test_bytes_that_are_no_part_of_the_file_do_not_hold_it_beyond_its_time(
    server, tmp_path, answer
):
    server.rules["/spend.csv"] = answer
    began = time.monotonic()
    report = fetch_from(server, tmp_path, deadline_seconds=1.5)
    assert time.monotonic() - began < 15, "30 seconds is how long the server goes on"
    assert not report.ok
    assert stored(tmp_path) == {}


def test_a_body_compressed_in_layers_is_refused_before_it_is_unpacked(server, tmp_path):
    packed = gzip.compress(gzip.compress(bytes(50_000_000)))
    assert len(packed) < 1000
    server.rules["/spend.csv"] = lambda h: h.reply(
        200, packed, "text/csv", {"Content-Encoding": "gzip, gzip"}
    )
    assert "compressed more than once" in fetch_from(server, tmp_path).outcomes[0].sentence
    assert stored(tmp_path) == {}


@pytest.mark.parametrize("kind", ["text/html", "text/csv", "application/octet-stream"])
def test_an_html_error_page_is_not_a_csv_whatever_the_server_calls_it(server, tmp_path, kind):
    server.serve("/spend.csv", ERROR_PAGE * 20, kind=kind)
    report = fetch_from(server, tmp_path)
    assert "a web page" in report.outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_a_csv_is_not_a_workbook(server, tmp_path):
    server.serve("/spend.xlsx", kind="application/vnd.ms-excel")
    report = fetch_from(server, tmp_path, one_file("/spend.xlsx", "ABC/spend.xlsx"))
    assert "expected .xlsx, got plain text" in report.outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_a_workbook_without_its_end_is_refused(server, tmp_path):
    server.serve("/spend.xlsx", b"PK\x03\x04" + b"\x00" * 5000)
    report = fetch_from(server, tmp_path, one_file("/spend.xlsx", "ABC/spend.xlsx"))
    assert "cut short" in report.outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_a_body_compressed_against_our_wish_is_unpacked_and_never_continued(server, tmp_path):
    packed = gzip.compress(SPEND)
    headers = {"ETag": '"v1"', "Content-Encoding": "gzip"}
    server.answers_in_turn(
        "/spend.csv",
        lambda h: h.cut_short(packed, len(packed) // 2, headers),
        lambda h: h.reply(200, packed, "text/csv", headers),
    )
    assert fetch_from(server, tmp_path).ok
    assert "Range" not in server.requests[1].headers
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_small_body_that_unpacks_to_too_much_is_refused(server, tmp_path):
    packed = gzip.compress(SPEND * 5000)
    server.rules["/spend.csv"] = lambda h: h.reply(
        200, packed, "text/csv", {"Content-Encoding": "gzip"}
    )
    assert "more than" in fetch_from(server, tmp_path).outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_too_much_is_refused_announced_or_not(server, tmp_path):
    much = SPEND * 2000
    server.serve("/spend.csv", much)
    assert "announced" in fetch_from(server, tmp_path).outcomes[0].sentence

    def unannounced(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(much)
        handler.close_connection = True

    server.rules["/spend.csv"] = unannounced
    assert "more than" in fetch_from(server, tmp_path).outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_too_little_is_refused(server, tmp_path):
    server.serve("/spend.csv", b"Supplier,Amount\n")
    assert "at least" in fetch_from(server, tmp_path).outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_a_file_other_than_the_pinned_one_is_refused(server, tmp_path):
    pinned = {"sha256": hashlib.sha256(SPEND).hexdigest(), "bytes": len(SPEND)}
    server.serve("/spend.csv", SPEND.replace(b"30000.00", b"30000.01"))
    report = fetch_from(server, tmp_path, one_file(**pinned))
    assert "pins" in report.outcomes[0].sentence
    assert stored(tmp_path) == {}


def test_a_pinned_file_that_is_here_is_not_asked_for_again(server, tmp_path):
    pinned = {"sha256": hashlib.sha256(SPEND).hexdigest(), "bytes": len(SPEND)}
    server.serve("/spend.csv")
    assert fetch_from(server, tmp_path, one_file(**pinned)).outcomes[0].state == "fetched"
    assert fetch_from(server, tmp_path, one_file(**pinned)).outcomes[0].state == "unchanged"
    assert len(server.requests) == 1


def test_what_the_publisher_says_is_unchanged_is_not_sent_again(server, tmp_path):
    server.serve("/spend.csv", etag='"v1"')
    fetch_from(server, tmp_path)
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "unchanged"
    assert server.requests[-1].headers["If-None-Match"] == '"v1"'
    assert stored(tmp_path) == {"spend_over_25k/ABC/spend.csv": SPEND}


def test_a_file_altered_here_is_not_taken_for_the_publishers(server, tmp_path):
    server.serve("/spend.csv", etag='"v1"')
    fetch_from(server, tmp_path)
    (tmp_path / "spend_over_25k/ABC/spend.csv").write_bytes(b"edited by hand,\n")
    report = fetch_from(server, tmp_path)
    assert "If-None-Match" not in server.requests[-1].headers
    assert report.outcomes[0].state == "new version"
    assert stored(tmp_path)["spend_over_25k/ABC/spend.csv"] == b"edited by hand,\n"


def test_without_validators_the_same_content_is_recognised_by_its_checksum(server, tmp_path):
    server.serve("/spend.csv")
    fetch_from(server, tmp_path)
    assert fetch_from(server, tmp_path).outcomes[0].state == "unchanged"
    assert list(stored(tmp_path)) == ["spend_over_25k/ABC/spend.csv"]


def test_an_unreachable_host_is_learnt_once_not_once_a_file(tmp_path):
    class Down(httpx.BaseTransport):
        tries = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            Down.tries += 1
            raise httpx.ConnectError("network is unreachable")

    files = tuple({"path": f"ABC/{n}.csv", "address": f"https://{HOST}/{n}.csv"} for n in range(30))
    report = fetch(
        Catalogue((source(files=files),)),
        tmp_path,
        transport=Down(),
        policy_for=local_policy,
        limits=QUICK,
        workers=1,
    )
    assert {one.state for one in report.outcomes} == {"failed"}
    assert Down.tries == QUICK.attempts
    assert len(report.sentences()) == 2  # the total, and one line for thirty files


def test_one_bad_file_does_not_stop_the_others(server, tmp_path):
    files = tuple({"path": f"ABC/{n}.csv", "address": f"https://{HOST}/{n}.csv"} for n in range(6))
    for n in range(5):
        server.serve(f"/{n}.csv", SPEND + b"%d,,,,,,,\n" % n)
    report = fetch_from(server, tmp_path, Catalogue((source(files=files),)))
    assert report.counts() == {"fetched": 5, "failed": 1}
    assert report.stored == 5
    assert len(report.to_rows()) == 6
