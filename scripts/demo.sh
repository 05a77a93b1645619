#!/usr/bin/env bash
# From nothing to a painted and saved canvas on this machine.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

target=${target#"$root/"}
config=$target/demo.toml
picture=tests/data/ship.png
placectl=$target/debug/placectl
paint=$target/debug/examples/paint

cat >"$config" <<TOML
# The stack of the demonstration: a small canvas on the local cloud.
[canvas]
width = 200
height = 150

[functions]
artifacts = "$target/lambda"

[local]
enabled = true
TOML

say "== building (the first time takes some minutes)"
# The same selection as the tests build, so that neither makes the other build again.
cargo build --workspace --bins --examples

say "== placectl up: seven steps on the local cloud"
"$placectl" up --config "$config"

address() { "$placectl" status --config "$config" -o json |
  python3 -I -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
url=$(address websocket_url)
page=$(address page_url)
say "== painting $picture through $url"
"$paint" "$url" $picture

say "== placectl save, placectl canvas export"
"$placectl" save --config "$config"
"$placectl" canvas export demo.png --config "$config"

cat <<TEXT

The canvas is in demo.png, and on the page: open this address in a browser, in two windows. Zoom in,
choose a colour, and click: both windows show the pixel.

  $page

What to try next:
  $placectl status --config $config          show the resources and the canvas
  $placectl clients list --config $config    who is connected
  $paint '$url' $picture --clients 20
  $placectl canvas export tables.png --from tables --config $config
  $placectl teardown --config $config        takes it down again
  $placectl local stop                               ends the local cloud
TEXT
