#!/usr/bin/env bash
# Puts cask on the PATH of the job. `key` says what is installed, for the cache; `install` builds it; `path` adds it.
set -euo pipefail

version=${INPUT_VERSION:-} sources=${ACTION_PATH:?} place=${RUNNER_TEMP:?}/cask

invalid() {
    printf '::error title=cask::%s\n' "$1"
    exit 3
}

case $version in
    '' | installed) ;;
    *) [[ $version =~ ^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] ||
        invalid 'version is one like 0.1.0, the word installed, or left out' ;;
esac

case ${1:-} in
    key)
        case $version in
            installed) key= ;;
            '') # the sources of the action itself: what `uses:` names
                key=$(cd "$sources" && find Cargo.lock rust-toolchain.toml .cargo crates -type f -print0 |
                    LC_ALL=C sort -z | xargs -0 shasum -a 256 | shasum -a 256 | cut -c1-64) ;;
            *) key=v${version#v} ;;
        esac
        printf 'key=%s\n' "$key" >>"${GITHUB_OUTPUT:?}"
        ;;
    install)
        # In the folder of the sources, so that the toolchain is the pinned one.
        cd "$sources"
        export CARGO_TARGET_DIR=$RUNNER_TEMP/cask-build
        if [ -z "$version" ]; then
            cargo install --locked --path crates/cask --root "$place"
        else
            cargo install --locked --git https://github.com/cask-tools/cask --tag "v${version#v}" --root "$place" cask
        fi
        ;;
    path) printf '%s\n' "$place/bin" >>"${GITHUB_PATH:?}" ;;
    *) invalid 'install.sh key|install|path' ;;
esac
