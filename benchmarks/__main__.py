"""Run a benchmark by name: ``python -m benchmarks reader [options]``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))


def main() -> int:
    """Run the benchmark named first; without a name, all of them."""
    wanted = sys.argv[1:2] or NAMES
    if wanted[0] not in NAMES:
        print(f"there is no benchmark {wanted[0]!r}; there are: {', '.join(NAMES)}")
        return 2
    for name in wanted:
        importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
