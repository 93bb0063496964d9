# shellcheck shell=bash disable=SC2034,SC2155
# Sourced by the scripts beside it: where tools are kept, and how they get there.
# Everything is fetched on first use and kept outside the checkout; the cache can be deleted at any time.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

CACHE=${TILL_CI_CACHE:-$HOME/.cache/till-ci}
mkdir -p "$CACHE"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
# Importing a module of ours leaves no folder beside it.
export PYTHONDONTWRITEBYTECODE=1
export SAM_CLI_TELEMETRY=0
# Nothing here talks to AWS, but its tools insist on a region and credentials.
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

# This machine's processor, as Lambda calls it.
case $(uname -m) in
  aarch64 | arm64) ARCHITECTURE=arm64 ;;
  *) ARCHITECTURE=x86_64 ;;
esac

# python_tools NAME: puts the packages pinned in .ci/pins/NAME.txt on the PATH.
python_tools() {
  local pins=.ci/pins/$1.txt
  local venv=$CACHE/$1-$(sha256sum "$pins" | cut -c1-12)
  if [[ ! -e $venv/complete ]]; then
    rm -rf "$venv"
    python3 -m venv "$venv" || { debian_packages python3-venv && python3 -m venv "$venv"; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"
    touch "$venv/complete"
  fi
  PATH=$venv/bin:$PATH
}

debian_packages() {
  local sudo=
  [[ $EUID == 0 ]] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# debug_build PROGRAM [OPTION…]: builds a program of ours into $CARGO_TARGET_DIR/debug, of what the tests have built. With
# `--package`, crates would get the features which that package asks for, and half of them would be built again.
debug_build() {
  cargo build --locked --quiet --workspace --bin "$@"
}

# vacant URL: fails if something answers there already. What is to be started there would end at once, and its
# users would talk to the other program.
vacant() {
  if curl --silent --output /dev/null --max-time 2 "$1"; then
    echo "something already answers at $1: stop it, or set TILL_CI_PORT to use other ports" >&2
    return 1
  fi
}

# await WHAT PID URL: waits until the process answers there, for at most 60 seconds.
await() {
  local what=$1 pid=$2 url=$3
  for _ in {1..300}; do
    if curl --silent --output /dev/null --max-time 2 "$url"; then return; fi
    kill -0 "$pid" 2>/dev/null || { echo "$what ended before it answered at $url" >&2; return 1; }
    sleep 0.2
  done
  echo "$what did not answer at $url within 60 seconds" >&2
  return 1
}
