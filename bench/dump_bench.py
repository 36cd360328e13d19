"""Runs `sluice dump FILE` to /dev/null and a ruler in turn; prints rows per CPU-second and the ratio of each pair."""

import os
import re
import resource
import statistics
import subprocess
import sys


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_sluice(binary, path):
    begin = cpu_seconds()
    with open(os.devnull, "wb") as nowhere:
        subprocess.run([binary, "dump", path], stdout=nowhere, check=True)
    return cpu_seconds() - begin


def run_ruler(ruler, path):
    told = subprocess.run([ruler, path], stderr=subprocess.PIPE, check=True, text=True).stderr
    rows, seconds = re.search(r"rows (\d+) .* cpu ([0-9.]+) s", told).groups()
    return int(rows), float(seconds)


def count_rows(binary, path):
    dump = subprocess.Popen([binary, "dump", path], stdout=subprocess.PIPE)
    rows = 0
    while chunk := dump.stdout.read(1 << 20):
        rows += chunk.count(b"\n")
    if dump.wait() != 0:
        sys.exit("dump failed")
    return rows


def show(name, rates):
    print(f"{name:12} rows/CPU-s  min {min(rates):>11,.0f}  median {statistics.median(rates):>11,.0f}  max {max(rates):>11,.0f}")


def main():
    binary, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    ruler = sys.argv[4] if len(sys.argv) > 4 else None
    rows = count_rows(binary, path)
    megabytes = os.path.getsize(path) / 1e6
    print(f"{megabytes:.0f} MB of binlog, {rows:,} rows")
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(rows / run_sluice(binary, path))
        if ruler:
            ruler_rows, seconds = run_ruler(ruler, path)
            if ruler_rows != rows:
                sys.exit(f"the ruler saw {ruler_rows} rows")
            theirs.append(rows / seconds)
    show("sluice dump", ours)
    print(f"{'':12} CPU-s per million rows: {1e6 / statistics.median(ours):.2f}; {megabytes * statistics.median(ours) / rows:.0f} MB/s in")
    if ruler:
        show("ruler", theirs)
        ratios = [a / b for a, b in zip(ours, theirs)]
        print(f"{'ratio':12}             min {min(ratios):.3f}  median {statistics.median(ratios):.3f}  max {max(ratios):.3f}")


if __name__ == "__main__":
    main()
