#!/bin/sh
# What must be there before anything of this repository runs. Other scripts source it with $root set
# to the repository (default: the working directory) and call the functions; run by itself it does
# all of it. All output goes to stderr.

root=${root:-$(pwd)}

setup_fail() {
  printf 'Error: %s\nWhy:   %s\nFix:   %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# Installs what package.json names, once, and again when package-lock.json has changed. Sets $deno to
# the runtime among it.
ensure_dependencies() {
  dependencies_current || install_dependencies
  find_runtime
}

install_dependencies() {
  [ -w "$root" ] || setup_fail "The dependencies of Dragoman are not installed" \
    "$root may not be written to by this user" \
    "Run $root/dragoman version once as the user who owns that directory"
  command -v npm >/dev/null 2>&1 || setup_fail "The dependencies of Dragoman are not installed" \
    "npm, which installs them, is not on PATH" \
    "Install Node.js 20 or newer with npm (https://nodejs.org), then repeat the command"
  lock_setup
  if ! dependencies_current; then
    echo "Installing the dependencies of Dragoman (once, about 10 s) ..." >&2
    if ! (cd "$root" && npm ci --include=dev --no-audit --no-fund) >&2; then
      setup_fail "The dependencies of Dragoman could not be installed" \
        "npm ci failed; its own words are above" \
        "Check the connection to the npm registry, then repeat the command"
    fi
    cp "$root/package-lock.json" "$root/node_modules/.dragoman-installed"
  fi
  unlock_setup
}

# npm leaves its own record beside the packages when somebody ran it by hand.
dependencies_current() {
  [ -d "$root/node_modules/@deno" ] || return 1
  if [ -f "$root/node_modules/.dragoman-installed" ]; then
    cmp -s "$root/package-lock.json" "$root/node_modules/.dragoman-installed"
  else
    [ -f "$root/node_modules/.package-lock.json" ] &&
      ! [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
  fi
}

# Builds the browser's part of the web admin when it is missing or older than its sources.
ensure_web_admin() {
  web_admin_current && return 0
  if [ ! -w "$root/web-admin" ]; then
    # An old build is better than none for somebody who cannot make a new one.
    [ -f "$root/web-admin/dist/index.html" ] && return 0
    setup_fail "The web admin is not built" "$root/web-admin may not be written to by this user" \
      "Run $root/dragoman version once as the user who owns that directory"
  fi
  lock_setup
  if ! web_admin_current; then
    echo "Building the web admin ..." >&2
    if ! (cd "$root" && npm run --silent build -w web-admin) >&2; then
      setup_fail "The web admin could not be built" "npm run build failed; its words are above" \
        "Correct what they name, then repeat the command"
    fi
    touch "$root/web-admin/dist/index.html"
  fi
  unlock_setup
}

web_admin_current() {
  [ -d "$root/web-admin/src" ] || return 0
  [ -f "$root/web-admin/dist/index.html" ] || return 1
  newer=$(find "$root/web-admin/src" "$root/web-admin/index.html" "$root/web-admin/package.json" \
    "$root/web-admin/vite.config.ts" -newer "$root/web-admin/dist/index.html" 2>/dev/null | head -n 1)
  [ -z "$newer" ]
}

# Sets $deno to the program that runs our code on this machine.
find_runtime() {
  deno=
  for candidate in "$root"/node_modules/@deno/*/deno; do
    [ -x "$candidate" ] || continue
    if [ -n "$deno" ]; then
      # More than one platform's is there, as in a directory that several machines share.
      deno=$root/node_modules/@deno/$(platform_name)/deno
      break
    fi
    deno=$candidate
  done
  [ -x "${deno:-/nonexistent}" ] || setup_fail "The runtime of Dragoman is missing" \
    "$root/node_modules has no deno for $(uname -s) on $(uname -m)" \
    "Remove $root/node_modules, then repeat the command"
}

platform_name() {
  case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    *) machine=arm64 ;;
  esac
  case $(uname -s) in
    Darwin) echo "darwin-$machine" ;;
    *) echo "linux-$machine-glibc" ;;
  esac
}

# Sets DENO_DIR, where compiled code is kept, to a directory of this user.
choose_cache() {
  [ -n "${DENO_DIR:-}" ] && return 0
  DENO_DIR=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/dragoman/runtime
  if ! mkdir -p "$DENO_DIR" 2>/dev/null || [ ! -w "$DENO_DIR" ]; then
    DENO_DIR=${TMPDIR:-/tmp}/dragoman-$(id -u)
    # Code that another user could write there would run as this one.
    mkdir -m 700 "$DENO_DIR" 2>/dev/null || [ -O "$DENO_DIR" ] || DENO_DIR=$(mktemp -d)
  fi
  export DENO_DIR
}

# Two first uses at once: the second waits for the first. A lock whose owner died is broken.
lock_setup() {
  setup_lock=$root/.cache/setup.lock
  mkdir -p "$root/.cache"
  waited=0
  until mkdir "$setup_lock" 2>/dev/null; do
    owner=$(cat "$setup_lock/pid" 2>/dev/null || echo)
    # A lock without an owner is one that is just being taken, unless it stays so.
    if [ -z "$owner" ]; then dead=$([ "$waited" -gt 5 ] && echo yes || echo); else
      dead=$(kill -0 "$owner" 2>/dev/null || [ -d "/proc/$owner" ] || echo yes)
    fi
    if [ -n "$dead" ]; then
      rm -rf "$setup_lock"
      continue
    fi
    [ "$waited" -gt 0 ] || echo "Waiting for another process that sets Dragoman up ..." >&2
    waited=$((waited + 1))
    sleep 1
  done
  trap unlock_setup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  echo $$ >"$setup_lock/pid"
}

unlock_setup() {
  rm -rf "$setup_lock"
  trap - EXIT INT TERM
}

case ${0##*/} in
  setup.sh)
    set -eu
    root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
    ensure_dependencies
    ensure_web_admin
    ;;
esac
