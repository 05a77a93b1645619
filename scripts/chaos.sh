#!/usr/bin/env bash
# Every way to cut off `up` and `teardown`: the whole matrix, which takes about an hour and a half, or what the
# arguments choose (tests/examples/chaos.rs): `--sparse` takes less than half of that. Beside it,
# where Terraform is installed, the same done to Terraform.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

export PLACECTL_BIN=$target/release/placectl
cargo build --release -p placectl
cargo build --workspace --examples
status=0
"$target/debug/examples/chaos" "${@:---all}" || status=$?

work=$(mktemp -d)
port=$(python3 -I -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
cat >"$work/place.toml" <<TOML
[local]
enabled = true
port = $port
state_dir = "$work/state"
TOML
finish() { "$PLACECTL_BIN" -q local stop --config "$work/place.toml" || true; rm -rf "$work"; }
trap finish EXIT
"$PLACECTL_BIN" -q local start --config "$work/place.toml"
TF_VAR_access_key=$(sed -n 's/^aws_access_key_id = //p' "$work/state/credentials")
export TF_VAR_access_key PLACE_TESTS_KEY=$TF_VAR_access_key
tests/reference/terraform/chaos.sh "http://127.0.0.1:$port" "$target/lambda" \
  "$target/debug/examples/inventory"
exit $status
