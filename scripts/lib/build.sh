# Building: the binary, the probe and its image.

# Clones on one machine share what they build, unless CARGO_TARGET_DIR says otherwise.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/longshore/target}"

PROBE_IMAGE=longshore-probe:latest

# The binary that build_longshore makes.
longshore_binary() {
    say "$CARGO_TARGET_DIR/release/longshore"
}

ensure_rust() {
    command -v cargo >/dev/null || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null ||
        fail "there is no cargo" "Install Rust 1.95 or newer: https://rustup.rs"
    command -v cc >/dev/null || apt_install gcc libc6-dev
}

build_longshore() {
    cargo build --release --locked --package longshore-cli ||
        fail "the longshore binary did not build" "Look at the compiler's messages above."
}

# The probe is linked statically, since its image holds nothing else. No image registry is needed.
build_probe_image() {
    local host directory before
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
        cargo build --release --locked --package longshore-probe --target "$host" ||
        fail "the probe did not build" "Look at the compiler's messages above."
    directory=$(mktemp -d)
    cp "$CARGO_TARGET_DIR/$host/release/longshore-probe" "$directory/"
    cat >"$directory/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY longshore-probe /longshore-probe
ENV BAKED_IN=image
EXPOSE 8080
ENTRYPOINT ["/longshore-probe"]
CMD ["serve"]
DOCKERFILE
    before=$(docker image inspect --format '{{.Id}}' "$PROBE_IMAGE" 2>/dev/null || true)
    # The classic builder needs no plug-in; it says on stderr that it is classic.
    if ! DOCKER_BUILDKIT=0 docker build --quiet --tag "$PROBE_IMAGE" "$directory" 2>"$directory/errors"; then
        cat "$directory/errors" >&2
        rm -r "$directory"
        fail "the image $PROBE_IMAGE did not build" "Look at Docker's messages above."
    fi
    rm -r "$directory"
    # The image of before has no name any more, unless it is the same. Who uses it keeps it.
    if [ -n "$before" ] && [ "$before" != "$(docker image inspect --format '{{.Id}}' "$PROBE_IMAGE")" ]; then
        docker image rm "$before" >/dev/null 2>&1 || true
    fi
    say "    built the image $PROBE_IMAGE from scratch"
}
