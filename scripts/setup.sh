#!/usr/bin/env bash
# Installs what the local cloud needs, and only what is missing; with `tests` also what they alone need.
set -euo pipefail
. "$(dirname "$0")/common.sh"

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing+=(redis-server)
command -v python3 >/dev/null || missing+=(python3)
python3 -I -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ "${1:-}" = tests ]; then
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  command -v chromium >/dev/null || missing+=(chromium)
  command -v chromedriver >/dev/null || missing+=(chromium-driver)
fi

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    die "not installed: ${missing[*]}" "as root: apt-get install -y ${missing[*]}"
  fi
}

install_packages() {
  command -v apt-get >/dev/null ||
    die "not installed: ${missing[*]}" "install these packages of your distribution and run again"
  say "installing ${missing[*]}"
  # Debian would start a Redis of its own on the default port: the policy script says no.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod +x $policy"
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  local get=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
  as_root "${get[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || {
    as_root "${get[@]}" update >&2
    as_root "${get[@]}" install -y --no-install-recommends "${missing[@]}" >&2
  }
}

# A pinned release of a Python package in a virtual environment of its own, from a list with the
# hashes of it and of all that it needs: an index that hands out something else is refused.
# For MiniStack the same directory, lock and check as `placectl local start` uses.
install_emulator() {
  local package=$1 version=$2 venv=$3 requirements=$4
  mkdir -p "$cache"
  exec 9>"$venv.lock"
  flock 9
  local ask="import importlib.metadata as m; print(m.version('$package'))"
  [ "$("$venv/bin/python" -I -c "$ask" 2>/dev/null)" = "$version" ] && return
  say "installing $package $version into $venv"
  rm -rf "$venv"
  python3 -I -m venv "$venv"
  "$venv/bin/python" -I -m pip install --quiet --no-input --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement "$requirements" >&2
}

# What the tests of the page need of npm, as pinned.
install_page_tests() {
  local page=$root/tests/page
  exec 9>"$cache/page-tests.lock"
  flock 9
  cmp -s "$page/package-lock.json" "$page/node_modules/.lock" && return
  say "installing what the page's tests need into tests/page/node_modules"
  npm --prefix "$page" ci --silent --no-audit --no-fund --ignore-scripts >&2
  cp "$page/package-lock.json" "$page/node_modules/.lock"
}

[ ${#missing[@]} -eq 0 ] || install_packages
[ -n "$ministack_version" ] || die "no MiniStack version in cli/src/local/install.rs"
[ -n "$moto_version" ] || die "no moto version in tests/src/moto.rs"
install_emulator ministack "$ministack_version" "$ministack" "$root/cli/src/local/ministack.txt"
[ "${1:-}" = tests ] || exit 0
install_emulator moto "$moto_version" "$moto" "$root/tests/moto.txt"
install_page_tests
