"""Where batches of portions are worked on: on this machine, or by the workers of a Dask cluster.

A batch travels as it is and leaves its result at the location of the job, so it does not matter who
works on it, in which order, or how often: a worker that dies has its batches done by another.

Belongs here: handing out batches. Does not belong here: the work (``portions``), or which batches
there are (``payments``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.ingest.payments.cache import reader_version
from pipeline.ingest.payments.portions import Portion
from pipeline.ingest.stored import stored_portions
from pipeline.refresh.portions import Done, Job, Orders, finishing_version, work_on
from pipeline.refresh.workers import Crew
from pipeline.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

Answer = TypeVar("Answer")
Batch = Sequence[Portion]
#: Times a batch may fail by itself, or take its worker with it, before the run gives up.
RETRIES = 2
CONNECT_SECONDS = 30


class ClusterError(RuntimeError):
    """The cluster cannot do the work; the message says why and what to do."""


class Spread:
    """Hands batches to whoever works on them.

    Use as a context: the cluster is joined when there is the first batch for it, and left at the end.

    Args:
        settings: which cluster, if any, and where the tables are.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._client: Client | None = None
        self._crew = Crew(settings.threads)

    def __enter__(self) -> Spread:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.close()
        self._stack.close()

    def get_ready(self) -> None:
        """Start what takes a while to start; for whoever knows that there will be many batches."""
        if not self.settings.cluster:
            self._crew.start()

    def work(
        self,
        job: Job,
        batches: Sequence[Batch],
        orders: Orders | None,
        classify_lines: Callable,
    ) -> Iterator[tuple[Batch, Done]]:
        """Work on batches; yields each when it is done, in any order.

        Args:
            job: what every batch needs.
            batches: the batches.
            orders: see :func:`pipeline.refresh.portions.work_on`.
            classify_lines: a function of a module, so that a worker finds it by its name.

        Raises:
            ClusterError: when the cluster cannot be reached, runs another version of the product,
                or a batch kills every worker that tries it.
        """
        if not self.settings.cluster:
            done = self._crew.work(job, batches, orders, classify_lines)
            yield from zip(batches, done, strict=True)
        elif batches:
            yield from self._on_cluster(job, batches, (orders, classify_lines))

    def each(
        self, job: Job, work: Callable[..., Answer], asked: Sequence[tuple]
    ) -> Generator[Answer]:
        """What a function gives for each of some things, in their order, on this machine.

        Args:
            job: the job whose batches were worked on; the function's first argument.
            work: a function of a module.
            asked: its other arguments, once for each time.

        Raises:
            Exception: what the function raised.
        """
        return self._crew.each(job, work, asked)

    def _on_cluster(
        self, job: Job, batches: Sequence[Batch], how: tuple[Orders | None, Callable]
    ) -> Iterator[tuple[Batch, Done]]:
        from distributed import KilledWorker, as_completed

        client = self._joined()
        sent = [self._as_sent(batch) for batch in batches]
        # A task, not scattered data: when its worker dies, another can make it again.
        shared = client.submit(_same, (job, *how), pure=False)
        told = (reader_version(), finishing_version())
        futures = {
            client.submit(_work, shared, some, told, pure=False, retries=RETRIES): batch
            for batch, some in zip(batches, sent, strict=True)
        }
        try:
            for future in as_completed(futures, loop=client.loop):
                batch = futures[future]
                try:
                    yield batch, future.result()
                except KilledWorker as error:
                    named = (
                        f"{batch[0].files[0].path} and {sum(len(p.files) for p in batch) - 1} more"
                    )
                    raise ClusterError(
                        f"{RETRIES + 1} workers died over one batch of files ({named}); look at their "
                        "logs, most often it is memory: fewer threads a worker, or larger workers"
                    ) from error
                future.release()
        finally:
            client.cancel(list(futures))

    def _as_sent(self, batch: Batch) -> Batch:
        """The batch with files that workers can read."""
        where = self.settings.stored_raw
        return stored_portions(batch, where, self.settings.threads) if where else batch

    def _joined(self) -> Client:
        if self._client is None:
            try:
                self._client = self._stack.enter_context(_client(self.settings.cluster))
            except ImportError as error:
                raise ClusterError(
                    "a cluster needs the extra: pip install 'fivepercent[cluster]'"
                ) from error
            except (OSError, TimeoutError) as error:
                raise ClusterError(
                    f"no Dask scheduler answers at {self.settings.cluster} ({error}); "
                    "start one, or clear FIVEPERCENT_CLUSTER"
                ) from error
        return self._client


@contextmanager
def _client(cluster: str) -> Iterator[Client]:
    """A client of this worker's own cluster, of a local one, or of an existing one."""
    from distributed import Client, LocalCluster, get_worker, worker_client

    try:
        get_worker()
    except ValueError:
        pass
    else:
        # Inside a task: its thread is given back while it waits, or two tasks would wait for ever.
        with worker_client() as client:
            yield client
        return
    kind, _, number = cluster.partition(":")
    with ExitStack() as stack:
        where: Any = cluster
        if kind == "local":
            where = LocalCluster(
                n_workers=int(number),
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,  # type: ignore[arg-type]
            )
            stack.enter_context(where)
        yield stack.enter_context(Client(where, timeout=CONNECT_SECONDS, set_as_default=False))


def _same(told: Any) -> Any:
    return told


def _work(
    shared: tuple[Job, Orders | None, Callable], batch: Batch, versions: tuple[str, str]
) -> Done:
    """The task of one batch, on a worker."""
    job, orders, classify_lines = shared
    if versions != (reader_version(), finishing_version()):
        raise ClusterError(
            "a worker runs another version of the product, of its rules or of Polars than this "
            "process; install the same on all and start the workers again"
        )
    done = work_on(job, batch, orders, classify_lines)
    return replace(done, numbers={})  # too much to send, and other machines may number otherwise
