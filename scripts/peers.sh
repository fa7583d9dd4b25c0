# Sourced: the programs that tests run as real peers. Each is a command, or a file, and its Debian package.

peer_programs="
haproxy:haproxy
redis-server:redis-server
redis-benchmark:redis-tools
postgres:postgresql
mariadbd:mariadb-server
chromium:chromium
openssl:openssl
curl:curl
ip:iproute2
/usr/lib/*/faketime/libfaketimeMT.so.1:libfaketime
php:php-cli
/usr/lib/php/*/soap.so:php-soap
/usr/lib/python3/dist-packages/zeep:python3-zeep
/usr/lib/python3/dist-packages/xmlsec:python3-xmlsec
/usr/lib/python3/dist-packages/websockets:python3-websockets
"

# A program, or, beginning with a slash, a file.
has_program() {
  # shellcheck disable=SC2086 # the path is a pattern
  case "$1" in /*) ls -d $1 >/dev/null 2>&1; return ;; esac
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 && return 0
  ls /usr/lib/postgresql/*/bin/"$1" >/dev/null 2>&1
}

missing_packages() {
  for peer in $peer_programs; do
    has_program "${peer%%:*}" || printf '%s ' "${peer##*:}"
  done
}

# Installs what is missing when it may (root, or sudo without a password); else says what to install.
ensure_peers() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root=no; fi
  if [ "$as_root" = no ] || ! command -v apt-get >/dev/null 2>&1; then
    printf 'The tests run against real programs that are not installed: %s\n' "$missing" >&2
    printf 'Install them, for example: sudo apt-get install %s\n' "$missing" >&2
    exit 1
  fi
  printf '%s\n' "== installing for the tests: $missing" >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
  # shellcheck disable=SC2086 # the words are package names
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >&2
}
