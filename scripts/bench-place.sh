#!/usr/bin/env bash
# Measures the data plane. First how fast a paint reaches everyone on the local cloud: this
# project, and beside it the setup guide taken literally (tests/reference/python), one after the
# other on the same emulator and the same Redis, with what the emulator itself costs. A burst is
# measured twice: the first one makes the emulator start a process for each message. Then each
# function alone, without the emulator, and what a paint costs.
#
#   [PLACE_BASELINE=<directory>] bench-place.sh [<clients> [<messages>]]
#
# With a directory of other binaries, `target/lambda` of an earlier commit, these take turns with
# this commit's, and neither sendMessage nor the broadcast may take 5 % more of the processor than
# they do.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

clients=${1:-200}
messages=${2:-100}
placectl=$target/debug/placectl
rush=$target/debug/examples/rush
reference=tests/reference/python

# The same selection as the tests build, so that neither makes the other build again.
cargo build --workspace --bins --examples
cargo test --workspace --bench handlers --no-run

work=$(mktemp -d)
free_port='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
port=$(python3 -I -c "$free_port")
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

read_json() { python3 -I -c "import json, sys; print(json.load(sys.stdin)$1)"; }

python3 -I -m venv "$work/venv"
python=$work/venv/bin/python
"$python" -I -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r $reference/requirements.txt
"$python" -I -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r $reference/requirements.txt \
  -t "$work/vendored"

"$placectl" up --config "$work/place.toml" >&2
url=$("$placectl" status --config "$work/place.toml" -o json | read_json '["websocket_url"]')
redis=127.0.0.1:$(read_json '["redis_port"]' <"$work/state/state.json")

# What lets the yardstick in, and Redis's password: in the environment, not on a command line.
export AWS_SHARED_CREDENTIALS_FILE=$work/state/credentials
password=$(sed -n 's/^aws_secret_access_key = //p' "$AWS_SHARED_CREDENTIALS_FILE")

# Each load prints its figures to a file of its own, and fails when anything was lost.
failed=()
run() {
  local name=$1
  shift
  say "== $name"
  "$rush" "$@" --clients "$clients" >"$work/$name.json" || failed+=("$name")
}
# The design load of 2017: 333 pixels a second; the peak of 2022: 1,639.
loads() {
  local prefix=$1
  shift
  run "$prefix-first-burst" "$@" --messages "$messages"
  run "$prefix-burst" "$@" --messages "$messages"
  run "$prefix-steady-333" "$@" --messages 624 --pixels 16 --rate 333
  run "$prefix-steady-1639" "$@" --messages 256 --pixels 64 --rate 1639
}
PLACE_RUSH_REDIS=redis://:$password@$redis loads place "$url"
say "== the emulator alone"
"$python" $reference/floor.py "http://127.0.0.1:$port" placev2disconnect >"$work/floor.json"
yard=$("$python" $reference/deploy.py "http://127.0.0.1:$port" "$redis" "$work/vendored")
loads yardstick "$yard" --protocol yardstick --patience 120
"$placectl" local stop --config "$work/place.toml"

python3 scripts/bench-place.py "$work" "$target/lambda" "$work/vendored" $reference/functions || failed+=(goals)
say "== each function alone"
PLACE_YARDSTICK_PYTHON=$python cargo test --workspace --bench handlers -- || failed+=(handlers)
say "machine: $(machine)"
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
