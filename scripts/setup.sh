#!/bin/sh
# Installs what is missing, and says nothing when nothing is: the npm packages always, and with the word `system` the
# Debian packages of a node too, with `tests` those of the tests. Needs no more than a shell, npm and (for Debian's) root.
set -eu
cd "$(dirname "$0")/.."

# The lock file that node_modules was last installed from.
stamp=node_modules/.k8ts-package-lock.json

install_npm_packages() {
  quiet='--no-audit --no-fund --loglevel=error'
  cmp -s package-lock.json "$stamp" && [ -x node_modules/.bin/node ] && return
  echo 'Installing npm packages ...'
  # A registry that lacks another platform's optional package makes a lock file that `npm ci` finds incomplete.
  npm ci $quiet 2>/dev/null || npm install --no-save $quiet
  # The package `node` fetches the binary in an install script, which npm may have been told not to run.
  [ -x node_modules/node/bin/node ] || (cd node_modules/node && node installArchSpecificPackage.js)
  cp package-lock.json "$stamp"
}

# Prints a Debian package for each program that is missing. Programs that came from elsewhere will do.
missing_packages() {
  list='for (const line of Object.entries(require("./src/cluster/packages.json"))) console.log(...line)'
  node_modules/.bin/node -e "$list" | while read -r program package; do
    case $package in
      # A busybox that needs libraries would be of no use inside an image.
      busybox-static) dpkg-query -W -f='${db:Status-Status}\n' $package 2>/dev/null | grep -q '^installed$' ;;
      *) command -v "$program" >/dev/null ;;
    esac || echo "$package"
  done
}

missing_test_packages() {
  [ -x /usr/bin/dig ] || echo bind9-dnsutils
  [ -x /usr/bin/curl ] || echo curl
  [ -x /usr/bin/openssl ] || echo openssl
}

install_system_packages() {
  packages=$(missing_packages)
  [ "$1" != tests ] || packages="$packages $(missing_test_packages)"
  # shellcheck disable=SC2086 # one word a package
  set -- $packages
  [ $# -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing on this machine: $*. Install them (Debian: as root, apt-get install $*), then try again." >&2
    exit 1
  fi
  echo "Installing Debian packages: $* ..."
  forbid_services
  export DEBIAN_FRONTEND=noninteractive
  apt_install "$@" || { apt-get -q update >/dev/null && apt_install "$@"; } || {
    echo "apt-get could not install $*; see above, put it right and try again." >&2
    exit 1
  }
  # k8ts starts a containerd of its own: the service of the package stays off, after a restart too.
  case " $* " in *' containerd '*) [ ! -d /run/systemd/system ] || systemctl -q disable containerd ;; esac
}

apt_install() {
  apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# While packages are installed none of their services is started. Source: Debian's invoke-rc.d(8).
forbid_services() {
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM
}

install_npm_packages
case "${1:-}" in
  system | tests) install_system_packages "$1" ;;
esac
