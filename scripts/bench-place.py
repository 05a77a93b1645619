"""Prints the figures of bench-place.sh as Markdown: a row for each load and figure, then the
functions' sizes. Ends with 1 when a goal is missed.

    bench-place.py <directory of the loads' JSON> <directory of the functions>
"""

import io
import json
import pathlib
import sys
import zipfile

LOADS = {
    "first-burst": "the first burst",
    "burst": "a burst",
    "steady-333": "333 pixels/s",
    "steady-1639": "1,639 pixels/s",
}
FIGURES = {
    "p50_ms": "paint to seen, p50, ms",
    "p95_ms": "paint to seen, p95, ms",
    "p99_ms": "paint to seen, p99, ms",
    "all_seen_s": "until all have all, s",
    "frames_per_client": "frames for each client",
    "bytes_per_client": "bytes for each client",
    "missing": "pixels that a client missed",
    "refused": "messages that were refused",
}
# How often better than the yardstick.
GOALS = {("burst", "p50_ms"): 30}

work, functions = map(pathlib.Path, sys.argv[1:])


def read(name):
    try:
        return json.loads((work / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}


def zipped(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return len(buffer.getvalue())


def cell(value):
    return "-" if value is None else f"{value:.5g}"


def row(load, key):
    """One row of the table, and whether its goal is reached."""
    ours, theirs = (read(f"{run}-{load}").get(key) for run in ("place", "yardstick"))
    ratio = theirs / ours if ours and theirs else None
    goal = GOALS.get((load, key))
    reached = goal is None or (ratio is not None and ratio >= goal)
    verdict = "" if goal is None else f"{goal} times: {'reached' if reached else 'MISSED'}"
    times = "-" if ratio is None else f"{ratio:.1f}"
    name = f"{LOADS[load]}: {FIGURES[key]}"
    return f"| {name} | {cell(ours)} | {cell(theirs)} | {times} | {verdict} |", reached


burst, floor = read("place-burst"), read("floor")
print(f"{burst.get('clients')} clients, all of which watch and paint in turn; a burst is "
      f"{burst.get('messages')} messages of one pixel at once\n")
print("| figure | placectl | yardstick | ratio | goal |\n|---|---|---|---|---|")
rows = [row(load, key) for load in LOADS for key in FIGURES]
print("\n".join(text for text, _ in rows))
print(
    f"\nThe emulator alone, with a function that does nothing: {floor['ms_each']:.0f} ms an "
    f"invocation, {floor['per_second']:.0f} invocations/s. A paint costs two one after the other, "
    "sendMessage and the broadcast, before anybody can see it.\n"
)
print("| function | binary, bytes | zipped |\n|---|---|---|")
for binary in sorted(functions.glob("*/bootstrap")):
    print(f"| {binary.parent.name} | {binary.stat().st_size} | {zipped(binary)} |")
print()
sys.exit(0 if all(reached for _, reached in rows) else 1)
