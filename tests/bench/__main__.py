"""Runs the measurements of this folder, one after the other: `make bench`, or `python -m tests.bench [NAME …]`.

Every other module here is one measurement, which prints its own table; see README.md beside it.
"""

import runpy
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    """Run what was asked for, or everything; 2 for a name that there is not."""
    names = sys.argv[1:] or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names:
        # a measurement takes options of its own only when it is run by itself
        sys.argv = [name]
        print(f"\n{name}\n{'-' * len(name)}", flush=True)
        runpy.run_module(f"tests.bench.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
