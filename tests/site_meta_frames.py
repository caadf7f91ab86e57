"""Made-up rows of the meta tables for the frames of the site's tests.

Belongs here: files, rejected rows, checks, sources, the build. Does not belong here: marts
(``site_frames``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipeline.schema import all_tables


def meta_tables(trusts: int, is_demo: bool) -> dict[str, pl.DataFrame]:
    """Tables of the schema meta for ``trusts`` fictional trusts."""
    from site_frames import EVIL, of, trust_code

    files = [
        {
            "path": f"spend_over_25k/{trust_code(i)}/2020-{m:02d}.csv",
            "sha256": f"{i:064d}",
            "bytes": 1000 + i,
            "layout": "csv",
            "rows_read": 110,
            "rows_kept": 100,
            "rows_rejected": 2 if i == 0 else 0,
            "rows_ignored": 8 if i == 0 else 10,
            "source_id": "spend_over_25k",
            "status": "read",
            "organisation_code": trust_code(i),
            "pounds_read": 3.1e6,
            "pounds_corrected": 0.0,
            "pounds_kept": 1.5e6,
            "pounds_rejected": 0.1e6,
            "pounds_ignored": 1.5e6,
            "is_superseded": False,
            "warnings": "Dates are month ends." if m == 4 and i < 3 else None,
            "facts_table": "facts.payment",
        }
        for i in range(trusts)
        for m in (4, 5)
    ]
    files.append(
        {
            "path": "spend_over_25k/Z000/broken.xlsx",
            "sha256": "f" * 64,
            "bytes": 12,
            "layout": "not understood",
            "rows_read": 0,
            "rows_kept": 0,
            "rows_rejected": 0,
            "rows_ignored": 0,
            "source_id": "spend_over_25k",
            "status": "set aside",
            "reason": "Not a workbook: save it again as xlsx.",
            "organisation_code": "Z000",
            "is_superseded": False,
        }
    )
    rejected = [
        {
            "source_file": "spend_over_25k/Z000/2020-04.csv",
            "source_sheet": "",
            "source_row": row,
            "reason": "Amount is not a number; expected pounds.",
            "raw": f"Z000|{EVIL}|=HYPERLINK(1)|abc",
        }
        for row in (17, 29)
    ]
    columns = [
        {
            "table_name": name,
            "column_name": c.name,
            "position": n,
            "type": c.type,
            "unit": c.unit,
            "meaning": c.comment,
            "caveat": c.caveat,
            "table_title": t.title,
            "table_grain": t.grain,
            "table_warning": t.warning,
        }
        for name, t in all_tables().items()
        for n, c in enumerate(t.columns, 1)
    ]
    return {
        "meta.source_file": of("meta.source_file", files),
        "meta.rejected_row": of("meta.rejected_row", rejected),
        "meta.column": of("meta.column", columns),
        "meta.check_result": of(
            "meta.check_result",
            [
                {
                    "suite": "facts.payment",
                    "check_name": "amount_known",
                    "sentence": "Every payment has an amount.",
                    "severity": "blocking",
                    "passed": True,
                    "failing_rows": 0,
                },
                {
                    "suite": "marts.digital_share",
                    "check_name": "share_small",
                    "sentence": "No share is above one half.",
                    "severity": "warning",
                    "passed": False,
                    "observed": "1 row",
                    "failing_rows": 1,
                    "sample": '["Z004"]',
                },
            ],
        ),
        "meta.source": of(
            "meta.source",
            [
                {
                    "source_id": "spend_over_25k",
                    "title": "Payments over £25,000",
                    "publisher": "each trust",
                    "licence": "Open Government Licence v3.0",
                    "landing_page": "https://www.example.org/spend",
                    "files": len(files),
                    "latest_period": "March 2021",
                },
                {
                    "source_id": "provider_accounts",
                    "title": "Provider accounts",
                    "publisher": "NHS England",
                    "licence": "Open Government Licence v3.0",
                    "landing_page": "javascript:alert(1)",
                    "files": 2,
                    "latest_period": "2020/21",
                },
            ],
        ),
        "meta.build": of(
            "meta.build",
            [
                {
                    "build_id": "20261122T040000-abc",
                    "built_at": dt.datetime(2026, 11, 22, 4, 0),
                    "version": "0.1.0",
                    "contract_version": 1,
                    "is_demo": is_demo,
                    "benchmark": 0.05,
                    "inputs_sha256": "0" * 64,
                    "rules_version": "r1",
                    "settings": "{}",
                    "libraries": '{"polars": "2.1.0"}',
                    "notice": "DEMONSTRATION: nothing is real." if is_demo else "OGL v3.0.",
                }
            ],
        ),
    }
