"""`make bench`, or `python -m tests.bench [--quick] [--check] [NAME …]`: runs the measurements, shows what came of it.

Prints one table of ratios and targets, writes `results.json` and `ratios.svg` beside this file. With --check nothing is
written: the ratios are held against the recorded ones, and what fell too far is measured once more before it counts.
Exit codes: 0, 1 where a measurement failed or a ratio fell, 2 for wrong use.
"""

import argparse
import sys

from tests.bench.frame import runner
from tests.bench.frame.results import QUICK, WHOLE


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the gateway on this machine.")
    parser.add_argument("--quick", action="store_true", help="under two minutes: short rounds, small counts")
    parser.add_argument("--check", action="store_true", help="compare with the recorded run; write nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(runner.NAMES)}; all by default")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in runner.NAMES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(runner.NAMES)}")
    mode = QUICK if given.quick else WHOLE
    return runner.check(mode, given.names) if given.check else runner.record(mode, given.names)


if __name__ == "__main__":
    sys.exit(main())
