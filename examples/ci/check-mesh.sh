#!/usr/bin/env bash
# Judges a change of the mesh without a cluster and without a secret: the preview (with it the proof), the policy pack, and what opens and closes against the
# base branch. Any CI can run it, in the project's folder, after `npm ci`, with the Pulumi CLI on the PATH.
#
#   check-mesh.sh [<base>]     a commit or branch that the change goes into; default: origin/main
#
# Writes into OUT (default: mesh-check): comment.md for the pull request, reachability.html, preview.log.
# Status 0: all is well. 1: the change is refused. 2: it could not be judged.
set -euo pipefail

base=${1:-origin/main}
stack=${STACK:-dev}
out=${OUT:-mesh-check}
# The pack's own configuration (its ceiling), which belongs to the pack's owner and not to those who change the stack; none: the pack's defaults.
ceiling=${CEILING:-}

fail() {
  echo "error: $1" >&2
  exit 2
}

config="Pulumi.$stack.yaml"
for file in Pulumi.yaml "$config"; do
  [ -f "$file" ] || fail "$file is missing; run this in the Pulumi project's folder, and name the stack by STACK"
done
command -v pulumi >/dev/null || fail "the Pulumi CLI is not on the PATH; install it first"
git rev-parse --quiet --verify "$base^{commit}" >/dev/null || fail "there is no commit $base; fetch the base branch first (fetch-depth: 0)"
# What is encrypted needs the stack's own key, and that is no business of a pull request's check.
! grep -Eq '^[[:space:]]+secure:' "$config" || fail "$config holds encrypted values, which can't be read without the stack's key; keep them out of the stack that is checked (STACK)"

if [ -x node_modules/.bin/mesh ]; then
  mesh=(node_modules/.bin/mesh)
  pack=${PACK:-node_modules/@lucid/mesh/policies}
else
  mesh=(npm run --silent mesh --)
  pack=${PACK:-policies}
fi
document=$(sed -nE 's/^[[:space:]]+[A-Za-z0-9_-]+:document:[[:space:]]*"?([^"#[:space:]]+)"?.*/\1/p' "$config" | head -n 1)
document=${document:-mesh.yaml}

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A backend and a passphrase that live as long as this run. Pulumi writes the passphrase's salt into the configuration, so it is given a copy.
mkdir "$work/backend"
export PULUMI_BACKEND_URL="file://$work/backend" PULUMI_CONFIG_PASSPHRASE=preview PULUMI_SKIP_UPDATE_CHECK=true PULUMI_NODEJS_TRANSPILE_ONLY=true
# No cluster, not even one that this machine knows.
export KUBECONFIG="$work/no-kubeconfig"
cp Pulumi.yaml "$work/Pulumi.yaml"
pulumi stack init "$stack" --cwd "$work" --non-interactive --color never >/dev/null || fail "no stack could be made in a backend of its own"
{ grep -v '^encryptionsalt:' "$config"; grep '^encryptionsalt:' "$work/$config"; } >"$work/config.yaml"

status=0
arguments=(--stack "$stack" --config-file "$work/config.yaml" --policy-pack "$pack" --non-interactive --color never)
[ -z "$ceiling" ] || arguments+=(--policy-pack-config "$ceiling")
preview="✅ Preview and policy pack: nothing is refused."
if ! pulumi preview "${arguments[@]}" >"$out/preview.log" 2>&1; then
  status=1
  preview="❌ Preview or policy pack: the change is refused; see preview.log."
fi

against=()
if git show "$base:./$document" >"$work/before.yaml" 2>/dev/null; then
  # Key sets that a document names lie beside it.
  before=$(mktemp "$(dirname "$document")/.before-XXXXXX.yaml")
  trap 'rm -rf "$work" "$before"' EXIT
  cp "$work/before.yaml" "$before"
  against=(--against "$before")
fi
judged=0
"${mesh[@]}" --stack "$stack" reachability "${against[@]}" --markdown --html "$out/reachability.html" >"$work/reachability.md" 2>"$work/errors" || judged=$?
if [ "$judged" -gt 1 ]; then
  cat "$work/errors" >&2
  echo "❌ Who reaches whom could not be told." >"$work/reachability.md"
fi
[ "$judged" -le "$status" ] || status=$judged

certificates="✅ Certificates: both ends of every edge trust each other at every instant."
if git show "$base:./$config" >"$work/before-config.yaml" 2>/dev/null; then
  "${mesh[@]}" --stack "$stack" certificates --against "$work/before-config.yaml" >"$out/certificates.txt" 2>&1 || {
    [ "$status" -gt 1 ] || status=1
    certificates="❌ Certificates: there are instants at which ends of edges share no trust; see certificates.txt."
  }
fi

{
  # A comment is found again by its first line.
  echo "<!-- mesh-check -->"
  if [ "${#against[@]}" -gt 0 ]; then sed "s#$before#$base#g" "$work/reachability.md"; else cat "$work/reachability.md"; fi
  printf '\n%s\n\n%s\n' "$preview" "$certificates"
} >"$out/comment.md"
cat "$out/comment.md"
exit "$status"
