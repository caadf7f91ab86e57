"""Great Expectations made light: what of it is loaded, and what it is kept from doing.

Belongs here: loading the library without what no expectation here uses, the context, the counting
expectation. Does not belong here: how a gate runs (``engine``) or what is expected.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipeline.quality.lighter import no_collection, without

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    from pipeline.quality.checks import Check

#: Loaded by Great Expectations for expectations about distributions and about JSON, for tables in
#: memory, for services on the network and for pages about results. Nothing here
#: uses them, and much of what loading it takes went into them.
UNUSED = (
    *("pandas", "scipy", "scipy.stats", "altair"),
    *("requests", "requests.adapters", "requests.exceptions"),
    *("great_expectations.render.view.view", "great_expectations.datasource.fluent.fabric"),
)
#: Loaded when something is asked of it.
NOT_YET = ("jsonschema",)
#: Loaded where they are installed, for services that nothing here speaks to, and for tables as classes.
ABSENT = ("boto3", "botocore", "psycopg2", "sqlalchemy.orm")
#: Its data sources, each with some classes or dozens of them, and those that are used or that it names.
SOURCES = "great_expectations.datasource.fluent"
USED_SOURCES = {
    "sql_datasource",
    "postgres_datasource",
    "databricks_sql_datasource",
    "invalid_datasource",
    "metadatasource",
}
#: Its expectations, one a module, and those that are used.
EXPECTATIONS = "great_expectations.expectations.core"
USED_EXPECTATIONS = {
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "unexpected_rows_expectation",
}


def _left_out() -> list[str]:
    """Modules whose classes are named when the library is loaded, and never used here."""
    sources = {name for name in _modules(SOURCES) if name.endswith("datasource")} - USED_SOURCES
    expectations = _modules(EXPECTATIONS) - USED_EXPECTATIONS
    named = {f"{SOURCES}.{n}" for n in sources} | {f"{EXPECTATIONS}.{n}" for n in expectations}
    return sorted({*named, *UNUSED})


def _modules(package: str) -> set[str]:
    """The modules of a package of the library by their last names, without loading any."""
    top, *parts = package.split(".")
    found = find_spec(top)
    places = (found.submodule_search_locations if found else None) or ()
    folders = [Path(place, *parts) for place in places]
    return {path.stem for folder in folders for path in folder.glob("[!_]*.py")}


@cache
def load() -> ModuleType:
    """Great Expectations, loaded without what only its unused parts need: a third of its start is left."""
    with without(later=NOT_YET, unused=_left_out(), absent=ABSENT), no_collection():
        library = import_module("great_expectations")
        import_module("duckdb_engine")
    _forget_at_exit()
    return library


def _forget_at_exit() -> None:
    """Drop Great Expectations' modules when Python ends.

    Its module globals keep SQLAlchemy's DuckDB types alive past the end of the interpreter, and
    DuckDB then prints fifty lines about leaked instances under every otherwise clean run.
    """

    def forget() -> None:
        for name in [n for n in sys.modules if n.partition(".")[0] == "great_expectations"]:
            del sys.modules[name]

    atexit.register(forget)


def sql_source(creator: Callable[[], Any]) -> Any:
    """A data source on one DuckDB connection, in a context that leaves nothing on the disk.

    Args:
        creator: gives the connection, as SQLAlchemy wants it.
    """
    library = load()
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from sqlalchemy.pool import StaticPool

    context = library.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            # Its own pages would be left behind in a temporary folder, and load from other hosts.
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    # It would write the whole context as YAML into memory after every table it is told of.
    context._save_project_config = lambda: None
    sources: Any = context.data_sources  # its methods are made at run time
    return sources.add_sql(
        "store",
        connection_string="duckdb:///:memory:",
        kwargs={"creator": creator, "poolclass": StaticPool},
    )


def forget_engine() -> None:
    """Let go of what SQLAlchemy remembers about the engines that were made so far.

    Its PostgreSQL dialect, on which DuckDB's rests, keeps its catalogue queries in module-wide caches
    with the dialect itself in the key. Every engine has a dialect of its own, so nothing there is ever
    found again, and each gate of a long-lived process would leave some 700 objects behind.
    """
    from sqlalchemy.dialects.postgresql.base import PGDialect

    for method in vars(PGDialect).values():
        if hasattr(method, "cache_clear"):
            method.cache_clear()


@cache
def counted_rows() -> type:
    """``UnexpectedRowsExpectation`` that counts the rows and does not fetch them as well.

    The parent runs the query twice, and its summary throws the fetched rows away; the engine
    fetches a sample of a failed check itself. And its configuration is asked for forty times a check,
    and put together anew each time: 0.1 s a gate.
    """
    load()
    from great_expectations.expectations.core.unexpected_rows_expectation import (
        UnexpectedRowsExpectation,
    )
    from pydantic import v1 as pydantic

    class CountedRowsExpectation(UnexpectedRowsExpectation):
        """Fails when the query returns a row."""

        metric_dependencies = ("unexpected_rows_query.row_count",)
        _told: Any = pydantic.PrivateAttr(None)

        @property
        def configuration(self) -> ExpectationConfiguration:
            """Its configuration, put together once for what it is now."""
            if self._told is None:
                self._told = super().configuration
            return self._told

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name != "_told":
                self._told = None

        def _validate(
            self,
            metrics: dict,
            runtime_configuration: dict | None = None,
            execution_engine: Any = None,
        ) -> dict:
            rows = metrics["unexpected_rows_query.row_count"]
            return {"success": rows == 0, "result": {"observed_value": rows}}

    return CountedRowsExpectation


def suite_of(name: str, checks: Sequence[Check]) -> ExpectationSuite:
    """The checks on one table as a suite of the library."""
    library = load()
    expectations = []
    for check in checks:
        kind = (
            getattr(library.expectations, check.expectation)
            if check.expectation
            else counted_rows()
        )
        arguments = dict(check.arguments) or {"unexpected_rows_query": check.rows}
        expectations.append(
            kind(
                **arguments,
                description=check.sentence,
                severity="critical" if check.severity == "blocking" else "warning",
                meta={"check_name": check.check_name},
            )
        )
    return library.ExpectationSuite(name=name, expectations=expectations)
