# The program of an image registry, for tests.

# ensure_docker_registry: makes sure that there is one, and sets DOCKER_REGISTRY to its path. It is
# unpacked and not installed: the package would start a registry that is open to everybody.
ensure_docker_registry() {
    local dir="${XDG_CACHE_HOME:-$HOME/.cache}/longshore/docker-registry"
    [ -z "${DOCKER_REGISTRY:-}" ] || return 0
    DOCKER_REGISTRY=$(command -v docker-registry || echo "$dir/usr/bin/docker-registry")
    export DOCKER_REGISTRY
    [ ! -x "$DOCKER_REGISTRY" ] || return 0
    say "    unpacking Debian's docker-registry into $dir"
    mkdir -p "$dir"
    (cd "$dir" && { apt_get download docker-registry || { apt_get update && apt_get download docker-registry; }; }) &&
        dpkg-deb --extract "$dir"/docker-registry_*.deb "$dir" ||
        fail "there is no docker-registry for the tests" \
            "Set DOCKER_REGISTRY to the path of the registry's program, then run this again."
}
