"""The sensor on raw files: one run for what is new, none for what a run has moved or read itself.

A run that files something from the inbox changes the raw folder. The sensor therefore asks two
things before it starts another: is a refresh still at work, and has the last one read exactly the
files that are there now?
"""

import hashlib
from collections.abc import Iterator

import dagster as dg

from pipeline.defs.jobs import refresh_job
from pipeline.defs.keys import ALL_YEARS
from pipeline.defs.resources import Product
from pipeline.refresh.arrivals import SeenFile, raw_files_seen, was_read

AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _state(files: list[SeenFile]) -> str:
    told = "".join(f"{f.path}|{f.bytes}|{f.modified}\n" for f in files)
    return hashlib.sha256(told.encode()).hexdigest()


def _at_work(context: dg.SensorEvaluationContext) -> bool:
    filters = dg.RunsFilter(job_name=refresh_job.name, statuses=AT_WORK)
    return bool(context.instance.get_runs(filters=filters, limit=1))


@dg.sensor(
    job=refresh_job,
    minimum_interval_seconds=60,
    description="Starts a refresh when files appear in, change in or vanish from the raw folder or its inbox.",
)
def new_raw_files(
    context: dg.SensorEvaluationContext, product: Product
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Compare paths, sizes and times of the raw files with those seen last and those read last."""
    settings = product.given()  # the folder a person drops files into, never the demonstration's
    files = raw_files_seen(settings.raw)
    state = _state(files)
    if context.cursor == state:
        yield dg.SkipReason(f"Nothing new among {len(files)} files in {settings.raw}.")
        return
    if context.cursor is None and not files:
        context.update_cursor(state)
        yield dg.SkipReason(f"No files in {settings.raw} yet.")
        return
    if _at_work(context):
        yield dg.SkipReason("A refresh is at work; what it leaves unread is looked at afterwards.")
        return
    context.update_cursor(state)
    if was_read(settings, files):
        yield dg.SkipReason(f"The last refresh read these {len(files)} files already.")
        return
    # No run key: the cursor keeps runs apart, and a folder may return to a state it was in before.
    yield dg.RunRequest(run_key=None, tags=ALL_YEARS)
