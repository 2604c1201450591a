#!/usr/bin/env bash
# Builds the images with buildah, without root and without a daemon: deploy/images/build.sh [image...]
#   IMAGES   which ones: gateway worker-cpu worker-cuda; without arguments the first two
#   BASE     the base image; "debian" makes one of Debian's packages, where no registry is reachable
#   STORE    where images are kept; empty: where podman looks
#   VERSION  a label of the images
set -euo pipefail
root=$(realpath "$(dirname "$0")/../..")
images=${*:-${IMAGES:-gateway worker-cpu}}
version=${VERSION:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")}
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)

store=()
[ -z "${STORE:-}" ] || store=(--root "$STORE/root" --runroot "$STORE/run")
buildah=(buildah "${store[@]}")
# A build's apt and pip use this machine's network, and trust the authorities that it trusts.
options=(--layers --isolation chroot --network host --format docker)
authorities=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$authorities" ] || options+=(--volume "$authorities:$authorities:ro")

debian_base() {
    local folder
    folder=$(mktemp -d)
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-venv \
        bookworm "$folder/base.tar"
    printf 'FROM scratch\nADD base.tar /\n' >"$folder/Containerfile"
    "${buildah[@]}" bud "${options[@]}" --tag localhost/debian-python "$folder"
    rm -r "$folder"
}

if [ "${BASE:-}" = debian ]; then
    "${buildah[@]}" inspect localhost/debian-python >/dev/null 2>&1 || debian_base
    options+=(--pull-never --build-arg BASE=localhost/debian-python)
elif [ -n "${BASE:-}" ]; then
    options+=(--build-arg "BASE=$BASE")
fi

for image in $images; do
    "${buildah[@]}" bud "${options[@]}" --ignorefile "$root/.containerignore" \
        --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
        --tag "localhost/antiphon-$image:$version" --tag "localhost/antiphon-$image:latest" \
        --file "$root/deploy/images/$image.Containerfile" "$root"
done
"${buildah[@]}" images
