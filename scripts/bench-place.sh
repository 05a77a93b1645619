#!/usr/bin/env bash
# Measures how fast a paint reaches everyone: this project, and beside it the setup guide taken
# literally (tests/reference/python), one after the other on the same emulator and the same Redis.
#
#   bench-place.sh [<clients> [<messages>]]
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

clients=${1:-200}
messages=${2:-100}
placectl=$target/debug/placectl
rush=$target/debug/examples/rush

cargo build --workspace --bins --examples

work=$(mktemp -d)
free_port='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
port=$(python3 -c "$free_port")
cat >"$work/place.toml" <<TOML
[functions]
artifacts = "$target/lambda"
[local]
enabled = true
port = $port
state_dir = "$work/state"
TOML
finish() { "$placectl" local stop --config "$work/place.toml" || true; rm -rf "$work"; }
trap finish EXIT

read_json() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

"$placectl" up --config "$work/place.toml"
url=$("$placectl" status --config "$work/place.toml" -o json | read_json '["websocket_url"]')
ours=$("$rush" "$url" --clients "$clients" --messages "$messages")

python3 -m venv "$work/venv"
requirements=tests/reference/python/requirements.txt
"$work/venv/bin/pip" install -q --disable-pip-version-check -r $requirements
"$work/venv/bin/pip" install -q --disable-pip-version-check -r $requirements -t "$work/vendored"
redis_port=$(read_json '["redis_port"]' <"$work/state/state.json")
yard=$("$work/venv/bin/python" tests/reference/python/deploy.py \
  "http://127.0.0.1:$port" "127.0.0.1:$redis_port" "$work/vendored")
theirs=$("$rush" "$yard" --protocol yardstick --patience 120 \
  --clients "$clients" --messages "$messages")

python3 - "$ours" "$theirs" <<'PYTHON'
import json, sys

ours, theirs = (json.loads(text) for text in sys.argv[1:])
print(f"{ours['clients']} clients, {ours['messages']} messages at once")
print(f"{'':20} {'placectl':>12} {'yardstick':>12} {'ratio':>8}")
for key in ("all_seen_s", "p50_ms", "p95_ms", "p99_ms", "frames_per_client", "bytes_per_client",
            "missing", "refused"):
    mine, other = ours[key] or 0, theirs[key] or 0
    ratio = f"{other / mine:8.1f}" if mine else ""
    print(f"{key:20} {mine:12.1f} {other:12.1f} {ratio}")
PYTHON
