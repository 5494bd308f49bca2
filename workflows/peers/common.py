"""What every peer script shares: threads, timing, one JSON line for each result.

Import this first: it gives the process BENCH_THREADS CPUs (default 2) before numpy or torch start
their threads. BENCH_BUDGET_S (default 10) is the time for the timed runs of one measurement. The
rules are those of `timed` in workflows/src/bench/timing.rs.
"""
import json
import os
import statistics
import subprocess
import sys
import time

THREADS = int(os.environ.get("BENCH_THREADS", "2"))
BUDGET = float(os.environ.get("BENCH_BUDGET_S", "10"))
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = str(THREADS)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np  # noqa: E402


# The formulas of workflows/src/bench/formulas.rs, in float64; cast them afterwards.
def weight(out, inp, layer):
    """[out, inp]: sin(1 + 0.37 i + 0.73 j + 0.29 i j + 1.7 layer) sqrt(2 / inp)"""
    i, j = np.arange(out)[:, None], np.arange(inp)[None, :]
    return np.sin(1.0 + 0.37 * i + 0.73 * j + 0.29 * i * j + 1.7 * layer) * np.sqrt(2.0 / inp)


def bias(out, layer):
    """[out]: 0.1 cos(0.9 j + layer)"""
    return 0.1 * np.cos(0.9 * np.arange(out) + layer)


def inputs(n, d):
    """[n, d]: sin(0.1 + 0.05 n + 1.3 d)"""
    return np.sin(0.1 + 0.05 * np.arange(n)[:, None] + 1.3 * np.arange(d)[None, :])


def targets(n, d):
    """[n, d]: cos(0.2 + 0.03 n + 0.7 d)"""
    return np.cos(0.2 + 0.03 * np.arange(n)[:, None] + 0.7 * np.arange(d)[None, :])


def _memory_mb(field):
    """One field of /proc/self/status, in MiB; None where there is none."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field):
                    return round(int(line.split()[1]) / 1024, 1)
    except OSError:
        pass
    return None


def timed(work, min_runs=3, max_runs=50, budget=None):
    """Calls `work` once untimed, then until the budget is spent: (last result, times).

    `work` must return only when its result is there (jax: block_until_ready)."""
    return timed_repeated(1, work, min_runs, max_runs, budget)


def timed_repeated(calls, work, min_runs=3, max_runs=50, budget=None):
    """`timed` for work too short for the clock: `calls` calls in each run, times of one call."""
    before = _memory_mb("VmRSS:")

    def once():
        start = time.perf_counter()
        for _ in range(calls):
            result = work()
        return result, time.perf_counter() - start

    result, first = once()
    runs, start = [], time.perf_counter()
    budget = BUDGET if budget is None else budget
    while len(runs) < min_runs or (len(runs) < max_runs and time.perf_counter() - start < budget):
        result, seconds = once()
        runs.append(seconds)
    median = statistics.median(runs)
    times = dict(
        median_s=round(median / calls, 12),
        min_s=round(min(runs) / calls, 12),
        runs=len(runs),
        compile_s=round(max(0.0, first - median), 4),
        rss_before_mb=before,
        peak_rss_mb=_memory_mb("VmHWM:"),
    )
    return result, times


def emit(workload, peer, times, **extra):
    """Prints the line: `error_vs_reference` belongs in `extra`."""
    line = dict(
        workload=workload,
        peer=peer,
        threads=THREADS,
        load=round(os.getloadavg()[0], 1),
        omp=os.environ.get("OMP_WAIT_POLICY", "default"),
        **times,
    )
    for name, value in extra.items():
        line[name] = float(f"{value:.9g}") if isinstance(value, (float, np.floating)) else value
    print(json.dumps(line), flush=True)


def main(peers):
    """Runs the peers that the command line names (default: all), each in a process of its own where
    there are several, so that its peak memory is its own."""
    names = sys.argv[1:] or list(peers)
    if len(names) == 1:
        peers[names[0]]()
        return
    failed = [name for name in names if subprocess.run([sys.executable, sys.argv[0], name]).returncode]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
