"""Run a command, and say what it took: a process that is small when it starts it.

    python benchmarks/clouds_spent.py COMMAND [ARGUMENT ...]

Linux counts to the peak memory of a process what the one that started it had by then; a benchmark
that holds clouds to compare them would be measured instead of what it runs.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as stream:
        text = stream.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(child.returncode)
    spent = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - began,
        "peak_mb": usage.ru_maxrss / 1e3,
    }
    print(json.dumps({**spent, "said": json.loads(text)}))


if __name__ == "__main__":
    main()
