#!/usr/bin/env bash
# Measures Terraform on the same stack and the same emulator as placectl:
# apply from nothing, a plan without changes, destroy. Prints one JSON object.
#
#   run.sh http://127.0.0.1:4566 [target/lambda]
#
# The emulator must run and hold nothing of the stack; TF_VAR_access_key is its key. TF_PLUGIN_DIR, when set, names a directory
# with the AWS provider, for machines without access to the registry. Ends with 3 where the provider
# can't be had.
set -euo pipefail
cd "$(dirname "$0")"

endpoint=${1:?usage: run.sh <endpoint> [<directory of the functions>]}
artifacts=$(cd "${2:-../../../target/lambda}" && pwd)
command -v terraform >/dev/null || { echo 'terraform is not installed' >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TF_DATA_DIR=$work/data TF_IN_AUTOMATION=1
export TF_VAR_endpoint=$endpoint TF_VAR_artifacts=$work/zips
export TF_VAR_cache_mode=${CACHE_MODE:-serverless}
mkdir "$work/zips"
for function in "$artifacts"/*/bootstrap; do
  name=$(basename "$(dirname "$function")")
  (cd "$(dirname "$function")" && python3 -I -m zipfile -c "$work/zips/$name.zip" bootstrap)
done

run() { terraform "$@" -input=false -no-color >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }
seconds() {
  local start end
  start=$(date +%s%N)
  run "$@"
  end=$(date +%s%N)
  printf '%d.%03d' $(((end - start) / 1000000000)) $(((end - start) / 1000000 % 1000))
}

(run init ${TF_PLUGIN_DIR:+-plugin-dir="$TF_PLUGIN_DIR"}) || exit 3
state=-state=$work/state
apply=$(seconds apply -auto-approve "$state")
resources=$(terraform state list "$state" | grep -vc '^data\.')
plan=$(seconds plan -detailed-exitcode "$state")
destroy=$(seconds destroy -auto-approve "$state")
printf '{"resources": %d, "apply_s": %s, "plan_s": %s, "destroy_s": %s}\n' \
  "$resources" "$apply" "$plan" "$destroy"
