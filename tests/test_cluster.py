"""Payments made by a Dask cluster are the payments made by one machine, whatever dies on the way."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

import pipeline.ingest.payments.portions as portions_module
from pipeline.demo import Truth
from pipeline.refresh import RefreshFailedError, refresh, sources
from pipeline.refresh.context import Run
from pipeline.refresh.payments import build_payments
from pipeline.settings import Settings
from pipeline.store.location import Location, LocationError, location

pytestmark = pytest.mark.processes

DASK = str(Path(sys.executable).with_name("dask"))
#: Files of one batch in these tests: many small batches, so that there is a middle to die in.
FEW = 6


class Cluster:
    """A scheduler and workers, processes of their own on this machine."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.file, self.folder = folder / "scheduler.json", folder
        self.environment = os.environ | environment
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        for _ in range(600):
            if self.file.exists() and self.file.read_text():
                break
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]
        self.workers: list[subprocess.Popen] = []

    def _start(self, kind: str, *more: str) -> subprocess.Popen:
        command = [DASK, kind, "--scheduler-file", str(self.file), "--no-dashboard", *more]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def add_workers(self, number: int) -> None:
        from distributed import Client

        for _ in range(number):
            one = ["--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder / "dask")]
            self.workers.append(self._start("worker", *one))
        with Client(self.address) as client:
            client.wait_for_workers(number, timeout=60)

    def workers_left(self) -> int:
        from distributed import Client

        with Client(self.address) as client:
            return len(client.scheduler_info()["workers"])

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path, {})
    yield running
    running.stop()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions_module, "BATCH_FILES", FEW)


def payments(settings: Settings) -> Run:
    """What a refresh does up to the payments."""
    run = Run(settings)
    sources.build_reference_dims(run)
    sources.build_organisations(run)
    build_payments(run, sources.register_of(run))
    return run


def tables(settings: Settings) -> dict[str, str]:
    """Hash of the bytes of every Parquet file of payments, and of the account of their files."""
    found = [*(settings.tables / "facts" / "payment").glob("*.parquet")]
    found += (settings.work / "parts").glob("spend_over_25k.*.parquet")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


@pytest.fixture(scope="module")
def alone(
    small_demo: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What one machine makes of the demonstration, in small batches."""
    settings = Settings(raw=small_demo[0], out=tmp_path_factory.mktemp("alone") / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions_module, "BATCH_FILES", FEW)
        payments(settings)
    made = tables(settings)
    assert len(made) >= 4
    return made


def test_a_worker_killed_in_the_middle_changes_no_byte(
    small_demo: tuple[Path, Truth],
    tmp_path: Path,
    alone: dict[str, str],
    small_batches: None,
    cluster: Cluster,
) -> None:
    """Two workers, one killed after the first results; the other does what is left."""
    cluster.add_workers(2)
    settings = Settings(
        raw=small_demo[0],
        out=tmp_path / "out",
        cluster=cluster.address,
        tables_url=str(tmp_path / "shared"),
    )
    kept = tmp_path / "shared" / "payments"
    done_then: list[int] = []

    def kill_one() -> None:
        while not (done := list(kept.glob("*.json"))):
            time.sleep(0.01)
        cluster.workers[0].send_signal(signal.SIGKILL)
        done_then.append(len(done))

    killer = threading.Thread(target=kill_one)
    killer.start()
    run = payments(settings)
    killer.join()
    portions = len([p for p in kept.glob("*.json") if len(p.stem) == 20])
    assert 0 < done_then[0] < portions / 2, "it was not killed in the middle"
    assert cluster.workers[0].wait(10) == -signal.SIGKILL
    assert cluster.workers_left() == 1
    assert tables(settings) == alone
    again = payments(settings)
    assert run.counters["spend_files_opened"] > 0
    assert again.counters["spend_files_opened"] == 0


@pytest.fixture(scope="module")
def store() -> Iterator[None]:
    """An S3-compatible store on this machine, one for all tests: the client keeps its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "trial")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "trial")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        yield
    server.stop()


@pytest.fixture
def bucket(store: None) -> str:
    """A folder in an empty bucket."""
    name = f"tables-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}/fivepercent"


def test_tables_and_raw_files_on_object_storage_give_the_same_bytes(
    small_demo: tuple[Path, Truth],
    tmp_path: Path,
    alone: dict[str, str],
    small_batches: None,
    bucket: str,
) -> None:
    """Two workers that read raw files from the store, in a cluster that the run starts itself."""
    settings = Settings(
        raw=small_demo[0], out=tmp_path / "out", cluster="local:2", tables_url=bucket
    )
    payments(settings)
    assert tables(settings) == alone
    there = fsspec.filesystem("s3", skip_instance_cache=True).find(bucket)
    contents = {f.sha256 for f in Run(settings).files_of("spend_over_25k")}
    assert {name.rpartition("/")[2] for name in there if "/raw/" in name} == contents
    assert [name for name in there if "/payments/" in name]
    assert not (settings.work / "payments").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "memory", "s3"])
def test_every_location_keeps_the_promise(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whole or not at all, names in order, nothing under a name is FileNotFoundError."""
    where = {
        "folder": lambda: str(tmp_path / "a"),
        "file": lambda: f"file://{tmp_path}/a",
        "memory": lambda: "memory://trial/a",
        "s3": lambda: request.getfixturevalue("bucket"),
    }[kind]()
    place: Location = location(where)
    assert place.names() == []
    with pytest.raises(FileNotFoundError):
        place.read("spend/a.parquet")
    place.write("spend/b.parquet", b"one")
    place.write("a.json", b"two")
    place.write("a.json", b"three")
    assert place.names() == ["a.json", "spend/b.parquet"]
    assert location(where).read("a.json") == b"three"
    place.remove("a.json")
    place.remove("a.json")
    assert place.names() == ["spend/b.parquet"]


def test_a_store_nobody_knows_is_said_in_words() -> None:
    with pytest.raises(LocationError, match="Protocol not known: carrier-pigeon"):
        location("carrier-pigeon://coop/a")


def test_a_scheduler_that_does_not_answer_ends_the_refresh_in_words(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipeline.refresh.spread as spread

    monkeypatch.setattr(spread, "CONNECT_SECONDS", 1)
    settings = Settings(raw=small_demo[0], out=tmp_path / "out", cluster="tcp://127.0.0.1:9")
    with pytest.raises(RefreshFailedError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"):
        refresh(settings)


def test_workers_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.refresh.spread as spread

    with pytest.raises(spread.ClusterError, match="another version"):
        spread._work((None, None, None), [], ("old", "older"))  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["settings", "run config"])
def test_dagsters_job_runs_on_an_existing_scheduler_by_configuration_alone(
    by: str,
    small_demo: tuple[Path, Truth],
    tmp_path: Path,
    small_batches: None,
    alone: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps go to the workers, and the payments step hands its batches to the same workers."""
    import dagster as dg

    tests = Path(__file__).parent
    out = tmp_path / "out"
    told = {"RAW": small_demo[0], "OUT": out, "CLUSTER_STEPS": "true"}
    for name, value in told.items():
        monkeypatch.setenv(f"FIVEPERCENT_{name}", str(value))
    monkeypatch.syspath_prepend(str(tests))
    cluster = Cluster(tmp_path, {"PYTHONPATH": str(tests), "FIVEPERCENT_CLUSTER": "local:1"})
    named = cluster.address if by == "settings" else "local:1"
    monkeypatch.setenv("FIVEPERCENT_CLUSTER", named)
    config = {"execution": {"config": {"cluster": {"existing": {"address": cluster.address}}}}}
    try:
        cluster.add_workers(1)  # one that waits for its own batches would wait for ever
        from cluster_job import payments_job

        from pipeline.defs.keys import ALL_YEARS

        (tmp_path / "home").mkdir()
        with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
            result = dg.execute_job(
                dg.reconstructable(payments_job),
                instance=instance,
                tags=ALL_YEARS,
                run_config=config if by == "run config" else None,
            )
            assert result.success
    finally:
        cluster.stop()
    settings = Settings(raw=small_demo[0], out=out)
    made = {name: sha for name, sha in tables(settings).items() if name in alone}
    assert {n: s for n, s in made.items() if n[0] == "2"} == {
        n: s for n, s in alone.items() if n[0] == "2"
    }
