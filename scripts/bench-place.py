"""Prints the figures of bench-place.sh as Markdown: one column a run, then the functions' sizes.

    bench-place.py <directory of the runs' JSON> <directory of the functions>
"""

import io
import json
import pathlib
import sys
import zipfile

RUNS = ["at-once", "yardstick", "steady-333", "steady-1639"]
FIGURES = [
    ("messages", "messages"),
    ("pixels", "pixels"),
    ("p50_ms", "paint to seen, p50, ms"),
    ("p95_ms", "paint to seen, p95, ms"),
    ("p99_ms", "paint to seen, p99, ms"),
    ("all_seen_s", "until all have all, s"),
    ("frames_per_client", "frames for each client"),
    ("bytes_per_client", "bytes for each client"),
    ("missing", "pixels that a client missed"),
    ("refused", "messages that were refused"),
]
GOAL = 30

work, functions = map(pathlib.Path, sys.argv[1:])


def read(name):
    try:
        return json.loads((work / f"{name}.json").read_text())
    except ValueError:
        return {}


def zipped(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return len(buffer.getvalue())


runs = {name: read(name) for name in RUNS}
floor = read("floor")
print(f"{runs['at-once'].get('clients')} clients, all of which watch and paint in turn\n")
print("| figure | " + " | ".join(RUNS) + " |")
print("|---" * (len(RUNS) + 1) + "|")
for key, name in FIGURES:
    cells = [f"{value:.5g}" if (value := runs[run].get(key)) is not None else "-" for run in RUNS]
    print(f"| {name} | " + " | ".join(cells) + " |")
print(
    f"\nThe emulator alone, with a function that does nothing: {floor['ms_each']:.0f} ms an "
    f"invocation, {floor['per_second']:.0f} invocations/s. A paint costs two one after the other, "
    "sendMessage and the broadcast, before anybody can see it."
)
for key, name in FIGURES[2:6]:
    ours, theirs = runs["at-once"].get(key), runs["yardstick"].get(key)
    if ours and theirs:
        ratio = theirs / ours
        goal = ""
        if key == "p50_ms":
            goal = f" (goal {GOAL}: {'reached' if ratio >= GOAL else 'MISSED'})"
        print(f"- {name}: {ratio:.1f} times better than the yardstick{goal}")
print()
print("| function | binary, bytes | zipped |\n|---|---|---|")
for binary in sorted(functions.glob("*/bootstrap")):
    print(f"| {binary.parent.name} | {binary.stat().st_size} | {zipped(binary)} |")
print()
