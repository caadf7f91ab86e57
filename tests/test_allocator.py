"""Threads of a process that refreshes share two areas of memory."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, sys, threading
from pathlib import Path
from pipeline.refresh.allocator import few_areas
if sys.argv[1] == "few":
    assert few_areas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
together = threading.Barrier(12)

def work():
    together.wait()
    took = libc.malloc(5000)
    together.wait()
    libc.free(took)

threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


def areas(how: str, told: Path) -> int:
    """Areas of a new process after twelve threads took memory at the same time."""
    subprocess.run([sys.executable, "-c", PROGRAM, how, str(told)], check=True)
    return told.read_text().count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="areas are of glibc")
def test_threads_share_two_areas(tmp_path: Path) -> None:
    assert areas("few", tmp_path / "few.xml") <= 2
    assert areas("as it is", tmp_path / "many.xml") > 2
