# shellcheck shell=bash
# The one shell in which the blocks of docs/OPERATIONS.md run, each a file whose name comes in a line on
# standard input. A block that fails ends it.
set -euo pipefail

# Deploys the template that .ci/deploy made for ministack, in the same way. Some parameters change nothing
# there.
sam() {
  case $1 in
    build) echo 'not run: sam build, which .ci/build has done' ;;
    deploy)
      command sam deploy --template-file "$CHECKOUT/.aws-sam/build/ministack.json" --config-file "$CHECKOUT/samconfig.toml" \
        --no-confirm-changeset --no-fail-on-empty-changeset --no-progressbar "${@:2}"
      ;;
    *) command sam "$@" ;;
  esac
}

# Exit code 3 means that it found something to fix, which is no failure here: operations.py looks at what it found.
till() {
  local status=0
  command till "$@" || status=$?
  [[ $status == 3 ]] || return "$status"
}

while read -r block; do
  # shellcheck disable=SC1090
  source "$block" <"$block.typed" >"$block.said" 2>&1
  echo "$block"
done
