"""No secret is shown, however it came into a setting: right, misspelt, of a wrong kind, or in an address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.fetch import HostPolicy
from pipeline.fetch.policy import RefusedError
from pipeline.settings import Settings, holds_secret

ADDRESSES = (
    "http://bob:hunter2@127.0.0.1:9/x",
    "https://hunter2@example.org/x",
    "https://example.org/tree?sig=hunter2",
    "s3://KEY:hunter2@bucket/folder",
    "tcp://bob:hunter2@127.0.0.1:8786",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("setting", ["mirror", "tables_url", "cluster", "site_url"])
def test_an_address_with_a_password_is_refused_without_repeating_it(
    setting: str, address: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{setting: address})
    assert "hunter2" not in str(refused.value)


def test_addresses_without_secrets_are_taken() -> None:
    for address in (
        "https://example.org/tree@1/a",
        "s3://bucket/a@b",
        "/mnt/a@b?c",
        "tcp://h:8786",
        "",
    ):
        assert not holds_secret(address)
    assert Settings(mirror="https://example.org/tree", tables_url="s3://bucket/x").mirror


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_mirror_named_on_the_command_line_is_not_repeated_either(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEPERCENT_OFFLINE", "0")
    with pytest.raises(RefusedError) as refused:
        HostPolicy.of_mirror(address)
    assert "hunter2" not in str(refused.value)
    told = CliRunner().invoke(app, ["fetch", "--raw", str(tmp_path), "--mirror", address])
    assert told.exit_code == 2
    assert "hunter2" not in told.output


@pytest.mark.parametrize(
    ("environment", "file"),
    [
        ({"FIVEPERCENT_ALERT_SMTP_PORT": "hunter2"}, ""),
        ({"FIVEPERCENT_SITE_URL": "hunter2"}, ""),
        ({}, 'alert_smtp_pasword = "hunter2"'),
        ({}, 'alert_webhook = ["hunter2"]'),
    ],
)
def test_a_traceback_of_wrong_settings_does_not_hold_what_was_typed(
    environment: dict[str, str], file: str, tmp_path: Path
) -> None:
    (tmp_path / "fivepercent.toml").write_text(file)
    for program in (
        "from pipeline.settings import Settings; Settings()",
        "from pipeline.cli import main; main()",
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, "status"],
            cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode
        assert "hunter2" not in done.stdout + done.stderr


def test_settings_shown_in_any_way_hide_their_secrets() -> None:
    settings = Settings(
        alert_webhook="https://example.org/hunter2",
        alert_smtp_password="hunter2",  # type: ignore[arg-type]
    )
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())]
    shown.append(json.dumps(settings.model_dump(mode="json")))
    assert not [text for text in shown if "hunter2" in text]
