"""Prints the figures of bench-place.sh as Markdown: a row for each load and figure, then the
functions' sizes. Ends with 1 when a goal is missed.

    bench-place.py <directory of the loads' JSON> <directory of the functions> <the yardstick's files>...
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

work, functions, *yardstick = map(pathlib.Path, sys.argv[1:])


def read(name):
    try:
        return json.loads((work / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}


def zipped(paths):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path)
    return len(buffer.getvalue())


def size_row(name, paths):
    return f"| {name} | {sum(path.stat().st_size for path in paths)} | {zipped(paths)} |"


def emulators_share(key):
    """What the emulator itself takes of a latency at the least: the two invocations that a paint
    costs one after the other. In a burst they wait for each other besides."""
    floor = read("floor")
    return 2 * floor["ms_each"] if floor and key.startswith("p") else None


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
    share = cell(emulators_share(key))
    return f"| {name} | {cell(ours)} | {share} | {cell(theirs)} | {times} | {verdict} |", reached


burst, floor = read("place-burst"), read("floor")
print(f"{burst.get('clients')} clients, all of which watch and paint in turn; a burst is "
      f"{burst.get('messages')} messages of one pixel at once\n")
print("| figure | placectl | of that the emulator | yardstick | ratio | goal |\n|---|---|---|---|---|---|")
rows = [row(load, key) for load in LOADS for key in FIGURES]
print("\n".join(text for text, _ in rows))
print(
    "\nThe emulator alone, with a function that refuses an empty event: "
    f"{floor['ms_each']:.1f} ms an invocation, {floor['per_second']:.0f} invocations/s. A paint costs two one after the other, "
    "sendMessage and the broadcast, before anybody can see it.\n"
)
print("| function | bytes | zipped |\n|---|---|---|")
for binary in sorted(functions.glob("*/bootstrap")):
    print(size_row(binary.parent.name, [binary]))
files = [f for root in yardstick for f in root.rglob("*") if f.is_file() and f.suffix != ".pyc"]
print(size_row("each of the yardstick's", files))
print()
sys.exit(0 if all(reached for _, reached in rows) else 1)
