# Debian packages.

# apt_install PACKAGE...: installs packages, with fresh package lists when it does not work without.
apt_install() {
    command -v apt-get >/dev/null ||
        fail "$* is needed, and this machine has no apt-get" "Install $* by hand, then run this again."
    [ "$(id -u)" = 0 ] ||
        fail "$* is needed, and only root may install it" "Run: sudo apt-get install $*"
    say "    installing with apt: $*"
    apt_get install "$@" && return
    say "    refreshing the package lists"
    apt_get update ||
        fail "apt-get update did not work" "Look at the messages above; is the package mirror reachable?"
    apt_get install "$@" ||
        fail "apt-get could not install $*" "Look at the messages above, then run: apt-get install $*"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

# apt_knows PACKAGE: whether there is such a package.
apt_knows() {
    apt-cache show "$1" >/dev/null 2>&1
}
