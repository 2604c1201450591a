#!/usr/bin/env bash
# Draws every secret of a deployment once: deploy/secrets.sh [redis-host] [folder]
#   folder/.env        for compose, and for `kubectl create secret generic --from-env-file`
#   folder/users.acl   Redis' users, with the hashes of their passwords
# The folder is this script's own by default; it keeps .env out of git.
set -euo pipefail
umask 077
here=$(realpath "$(dirname "$0")")
host=${1:-redis}
folder=${2:-$here}
mkdir -p "$folder"
for file in "$folder/.env" "$folder/users.acl"; do
    [ ! -e "$file" ] || { echo "Expected no $file yet: remove it to draw new secrets" >&2; exit 1; }
done

draw() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
hash() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
gateway=$(draw)
worker=$(draw)
operator=$(draw)

sed -e "s/@GATEWAY@/$(hash "$gateway")/" -e "s/@WORKER@/$(hash "$worker")/" \
    -e "s/@OPERATOR@/$(hash "$operator")/" "$here/redis/users.acl" >"$folder/users.acl"
# Redis' own user in the container must be able to read it; it holds no password, only hashes.
chmod 644 "$folder/users.acl"
cat >"$folder/.env" <<END
GATEWAY_REDIS_URL=redis://gateway:$gateway@$host:6379/0
WORKER_REDIS_URL=redis://worker:$worker@$host:6379/0
OPERATOR_REDIS_URL=redis://operator:$operator@$host:6379/0
# Without the # every call needs a token: docs/operations.md, "Who may call".
#GATEWAY_AUTH_SECRET=$(draw)
GATEWAY_STATS_TOKEN=$(draw)
GRAFANA_PASSWORD=$(draw)
END
echo "wrote $folder/.env and $folder/users.acl"
