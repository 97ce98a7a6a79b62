# A Docker Engine that answers. One that is there is used as it is, never configured or stopped.

# ensure_docker LOG: makes sure that an engine answers; LOG takes the output of one started here.
ensure_docker() {
    local log=$1
    ensure_docker_client
    if engine_answers; then
        say "    using the Docker Engine that is here: $(engine_name)"
        return
    fi
    if [ -n "${DOCKER_HOST:-}" ]; then
        fail "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST" \
            "Start that engine, or unset DOCKER_HOST to have one installed and started here."
    fi
    command -v dockerd >/dev/null || apt_install docker.io
    # The package may have started one.
    if engine_is_starting && wait_for 20 engine_answers; then
        say "    the package has started a Docker Engine: $(engine_name)"
        return
    fi
    start_engine "$log"
}

engine_answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

engine_name() {
    docker version --format '{{.Server.Version}} (API {{.Server.APIVersion}})'
}

# Newer Debian has the client in a package of its own.
ensure_docker_client() {
    command -v docker >/dev/null && return
    if [ -S "${DOCKER_HOST:-/var/run/docker.sock}" ] && apt_knows docker-cli; then
        apt_install docker-cli
    else
        apt_install docker.io
        command -v docker >/dev/null || apt_install docker-cli
    fi
    hash -r
    command -v docker >/dev/null ||
        fail "the docker command is still not there" "Install a Docker client, then run this again."
}

engine_is_starting() {
    local pid
    pid=$(cat /var/run/docker.pid 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

start_engine() {
    local log=$1
    [ "$(id -u)" = 0 ] ||
        fail "no Docker Engine answers, and only root may start one" "Run this as root, or start dockerd."
    mount_cgroups
    # Where the kernel enforces AppArmor the engine must be able to load its profile.
    if grep -qs Y /sys/module/apparmor/parameters/enabled && ! command -v apparmor_parser >/dev/null; then
        apt_install apparmor
    fi
    say "    no Docker Engine answers: starting dockerd in the background, its output goes to $log"
    mkdir -p "$(dirname "$log")"
    setsid nohup dockerd >"$log" 2>&1 </dev/null &
    local dockerd_pid=$!
    if ! wait_for 90 engine_answers_or_ended "$dockerd_pid" || ! engine_answers; then
        tail -n 15 "$log" >&2
        fail "dockerd was started but does not answer" \
            "Its last words are above (all of them in $log). It needs root, cgroups, iptables and overlayfs."
    fi
    say "    started a Docker Engine, process $dockerd_pid: $(engine_name)"
    say "    it keeps running when this script ends"
}

engine_answers_or_ended() {
    engine_answers || ! kill -0 "$1" 2>/dev/null
}

# Without systemd nobody may have mounted the cgroups yet.
mount_cgroups() {
    [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] && return
    say "    mounting the cgroup file systems"
    command -v cgroupfs-mount >/dev/null || apt_install cgroupfs-mount
    cgroupfs-mount || fail "the cgroup file systems could not be mounted" "Is this a privileged machine?"
}
