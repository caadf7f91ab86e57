"""What lies in deploy/ fits together, as far as that can be told without running it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from typer.main import get_command

from pipeline.cli import app
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_units_start_commands_that_exist_with_settings_that_exist(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    if unit.suffix == ".service":
        start = parser["Service"]["ExecStart"].split()
        assert start[0].endswith("/bin/fivepercent")
        assert start[1] in commands
    named = re.findall(r"FIVEPERCENT_([A-Z_]+)=", unit.read_text())
    assert {n.lower() for n in named} <= {*Settings.model_fields, "secrets_dir"}
    secrets = re.findall(r"LoadCredential=fivepercent_([a-z_]+):", unit.read_text())
    assert set(secrets) <= set(Settings.model_fields)
    if handler := parser["Unit"].get("OnFailure"):
        assert (DEPLOY / "systemd" / handler.replace("%N", "")).exists()


def test_systemd_finds_nothing_to_object_to(tmp_path: Path) -> None:
    """The units as systemd reads them, with paths that exist here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/fivepercent/.venv/bin/fivepercent", sys.executable)
        (tmp_path / unit.name).write_text(text)
    copies = [str(tmp_path / u.name.replace("@.", "@trial.")) for u in UNITS]
    (tmp_path / "fivepercent-alert@trial.service").write_text(
        (tmp_path / "fivepercent-alert@.service").read_text()
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True
    )
    own = [line for line in done.stderr.splitlines() if "fivepercent" in line]
    assert own == []
    assert done.returncode == 0, done.stderr[-2000:]
    calendar = re.search(
        r"OnCalendar=(.*)", (DEPLOY / "systemd/fivepercent-refresh.timer").read_text()
    )
    assert calendar
    done = subprocess.run(["systemd-analyze", "calendar", calendar[1]], capture_output=True)
    assert done.returncode == 0


def test_the_services_of_the_compose_file_fit_together() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = told["services"]
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        assert set(service.get("networks", ())) <= set(told["networks"]), name
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in told["volumes"] or (DEPLOY / source).exists(), volume
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert ":latest" not in service.get("image", ":1"), name
    # Only the proxy can be reached, and Postgres by nobody but the product.
    assert [name for name, s in services.items() if s.get("ports")] == ["proxy"]
    assert services["postgres"]["networks"] == ["inside"]
    assert told["networks"]["inside"]["internal"] is True
    assert services["product"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert "healthcheck" in services["postgres"]


def test_the_proxy_asks_for_a_password_before_every_page() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    blocks = re.findall(r"^\S+:\d+ \{(.*?)^\}", text, re.S | re.M)
    assert len(blocks) == 2
    assert all("basic_auth" in b and "reverse_proxy" in b for b in blocks)
    ports = re.findall(r"reverse_proxy product:(\d+)", text)
    docker = (DEPLOY / "Dockerfile").read_text()
    exposed = re.search(r"EXPOSE (.*)", docker)
    assert exposed
    assert sorted(ports) == sorted(exposed[1].split())


def test_the_dockerfile_copies_what_is_here_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (.*)$", text, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert text.index("USER fivepercent") < text.index("CMD")
    assert "--require-hashes" in text


@pytest.mark.parametrize("path", [DEPLOY / "dagster.yaml", ROOT / ".dagster" / "dagster.yaml"])
def test_dagster_accepts_its_configuration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(path.parent))
    config, _ = dagster_instance_config(str(path.parent))
    assert config["telemetry"] == {"enabled": False}
    assert config["nux"] == {"enabled": False}


def test_every_secret_is_kept_out_of_the_repository() -> None:
    assert "deploy/secrets.env" in (ROOT / ".gitignore").read_text().splitlines()
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert not re.search(r"(?i)password[=:] *['\"]?[a-z0-9]{6,}", path.read_text()), path
