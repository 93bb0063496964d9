# shellcheck shell=bash
# The one shell in which the blocks of docs/OPERATIONS.md run, each a file whose name comes in a line on
# standard input. A block that fails ends it.
set -euo pipefail

# What was built, in the words that ministack knows, deployed as .ci/deploy does it. Some parameters change
# nothing there.
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

# It has found something to mend or to look at, and has not failed for that. What, is looked at beside.
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
