"""A first opening of an old Excel file in a process of its own, which may hang or fall over alone.

The format is a small file system of sectors that point at each other. Fuzzing found files of a few
kilobytes on which the library never returns; no check of ours can know all of them, so the first try
has bounded processor time and memory. xls files are rare by now, and a file is read once.
"""

from __future__ import annotations

import subprocess
import sys

from pipeline.ingest.tabular.limits import MEGABYTE, UnreadableFileError

CPU_SECONDS, MEMORY_BYTES, WALL_SECONDS = 5, 4096 * MEGABYTE, 120
_OPEN = """
import sys
try:
    import resource
    seconds, memory = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
except ImportError:
    pass
import fastexcel
book = fastexcel.read_excel(sys.stdin.buffer.read())
for name in book.sheet_names:
    book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
"""


def probe(data: bytes, *, cpu_seconds: int = CPU_SECONDS) -> None:
    """Open every sheet of a workbook in a process of its own.

    Args:
        data: the whole workbook.
        cpu_seconds: processor time it may take, and one second more for each megabyte.

    Raises:
        UnreadableFileError: when that process was stopped by its bounds or fell over. What the
            library says in words is left to the reading itself.
    """
    seconds = cpu_seconds + len(data) // MEGABYTE
    try:
        done = subprocess.run(  # noqa: S603 - our own program text, the file goes in by stdin
            [sys.executable, "-I", "-c", _OPEN, str(seconds), str(MEMORY_BYTES)],
            input=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            timeout=WALL_SECONDS + seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        stopped = True
    else:
        stopped = done.returncode < 0
    if stopped:
        raise UnreadableFileError(
            "the xls workbook is damaged: opening it has no end, or takes all memory; open it in a "
            "spreadsheet program and save it again"
        )
