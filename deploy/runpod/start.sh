#!/bin/bash
# Runs Redis, a gateway and a worker, and restarts each one that ends. SIGTERM ends the worker and the
# gateway first, so that Redis has all of their calls on disk. As root it only prepares its folder.
set -euo pipefail

data=${ANTIPHON_DATA:-/workspace/antiphon}
unset ANTIPHON_DATA # the product refuses names that look like its own
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$data/redis"
    chown -R 10001:10001 "$data"
    export ANTIPHON_DATA=$data HOME=$data # root's own home is closed to others
    exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs "$0" "$@"
fi

export REDIS_URL=${REDIS_URL:-redis://127.0.0.1:6379/0}
# Through RunPod's proxy all callers may share one address.
export GATEWAY_MAX_PER_ADDRESS=${GATEWAY_MAX_PER_ADDRESS:-1000}
if [ -n "${RUNPOD_POD_ID:-}" ]; then
    export GATEWAY_ORIGINS=${GATEWAY_ORIGINS:-https://$RUNPOD_POD_ID-8000.proxy.runpod.net}
fi

supervise() { # name command...
    local name=$1 child
    shift
    trap 'kill -TERM "$child"; wait "$child"; exit' TERM
    while :; do
        "$@" &
        child=$!
        wait "$child" || true
        echo "$name ended; it starts again"
        sleep 1
    done
}

supervise redis redis-server --bind 127.0.0.1 --port 6379 --dir "$data/redis" --save "" \
    --appendonly yes --appendfsync everysec --auto-aof-rewrite-min-size 256mb \
    --maxmemory-policy noeviction --loglevel warning &
redis=$!
supervise gateway env PYTHONPATH=/srv/antiphon:/opt/gateway/lib/python3.11/site-packages \
    python3 -m gateway &
gateway=$!
supervise worker python3 -m workers &
worker=$!

# shellcheck disable=SC2317 # the trap calls it
stop() {
    kill -TERM "$worker" "$gateway"
    wait "$worker" "$gateway" || true
    kill -TERM "$redis"
    wait "$redis" || true
    exit 0
}
trap stop TERM INT
wait
