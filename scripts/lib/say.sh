# Messages, and steps that tell how long they took.

# fail WHAT WHAT-TO-DO: says both and ends the script.
fail() {
    printf '\nFAILED: %s\n' "$1" >&2
    printf 'What to do: %s\n' "$2" >&2
    exit 1
}

say() {
    printf '%s\n' "$*"
}

# step NAME COMMAND...: runs the command, shows its output and the seconds it took.
# Commands that are functions must end with `fail` themselves: `set -e` does not reach into them.
step() {
    local name=$1 started=$SECONDS status=0
    shift
    say "==> $name"
    "$@" || status=$?
    say "    $name: $((SECONDS - started)) s"
    return "$status"
}

# wait_for SECONDS COMMAND...: true as soon as the command is, with a dot for each 5 s of waiting.
wait_for() {
    local deadline=$((SECONDS + $1)) next_dot=$((SECONDS + 5)) dots=""
    shift
    until "$@"; do
        if ((SECONDS >= deadline)); then
            [ -z "$dots" ] || say ""
            return 1
        fi
        if ((SECONDS >= next_dot)); then
            printf '.'
            dots=yes
            next_dot=$((SECONDS + 5))
        fi
        sleep 0.2
    done
    [ -z "$dots" ] || say ""
}
