#!/usr/bin/env bash
# Asks the built images a spoken question: deploy/images/try.sh question.wav
#
# A Redis with its users, the gateway and the CPU worker run as a cluster would run them. They are
# not root, have no capability, can write only to /tmp, and have limits of memory and processes. Then the worker gets
# SIGTERM in the middle of a second call, which another worker must answer.
# Needs podman, crun and redis-server. STORE is build.sh's.
set -euo pipefail
[ -n "${INSIDE:-}" ] || INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
root=$(realpath "$(dirname "$0")/../..")
question=$(realpath "${1:?Expected a recording: deploy/images/try.sh question.wav}")
# crun refuses a machine with both kinds of cgroups, so this script hides the newer kind from it.
umount /sys/fs/cgroup/unified 2>/dev/null || true

work=$(mktemp -d)
store=()
[ -z "${STORE:-}" ] || store=(--root "$STORE/root" --runroot "$STORE/run" --tmpdir "$STORE/tmp")
podman=(podman "${store[@]}" --cgroup-manager cgroupfs --runtime crun)
names=(antiphon-try-gateway antiphon-try-worker-1 antiphon-try-worker-2)
redis_port=16379
http_port=18080

redis=
cleanup() {
    "${podman[@]}" rm --force --ignore --time 0 "${names[@]}" >/dev/null 2>&1 || true
    [ -z "$redis" ] || kill "$redis"
    rm -rf "$work"
}
trap cleanup EXIT

"$root/deploy/secrets.sh" "127.0.0.1" "$work" >/dev/null
sed -i "s/127.0.0.1:6379/127.0.0.1:$redis_port/" "$work/.env"
# shellcheck disable=SC1091 # drawn above
. "$work/.env"
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$work" \
    --aclfile "$work/users.acl" --maxmemory-policy noeviction >"$work/redis.log" &
redis=$!

run() { # name image memory options...
    local name=$1 image=$2 memory=$3
    shift 3
    "${podman[@]}" run --detach --name "$name" --network host --user 10001:10001 \
        --read-only --tmpfs /tmp:size=64m --cap-drop ALL --security-opt no-new-privileges \
        --memory "$memory" --pids-limit 256 --ulimit nofile=8192:8192 --ulimit nproc=4096:4096 \
        "$@" "localhost/antiphon-$image" >/dev/null
}
await() { # url what
    for _ in $(seq 600); do
        curl -fsS -o /dev/null "$1" 2>/dev/null && return
        sleep 0.2
    done
    echo "Expected $2 at $1, got no answer within two minutes" >&2
    "${podman[@]}" logs --tail 20 "${names[0]}" >&2 || true
    "${podman[@]}" logs --tail 20 "${names[1]}" >&2 || true
    exit 1
}
talk() { # from a container of its own
    "${podman[@]}" run --rm --network host --user 10001:10001 --read-only --tmpfs /tmp:size=64m \
        --cap-drop ALL --ulimit nofile=8192:8192 --ulimit nproc=4096:4096 \
        --volume "$question:/question.wav:ro" --entrypoint python3 localhost/antiphon-worker-cpu \
        -m client.talk /question.wav --out /tmp/reply.wav \
        --url "ws://127.0.0.1:$http_port/ws/stream"
}

began=$SECONDS
run "${names[0]}" gateway 512m -e GATEWAY_HOST=127.0.0.1 -e GATEWAY_PORT=$http_port \
    -e "REDIS_URL=$GATEWAY_REDIS_URL"
for number in 1 2; do
    run "${names[number]}" worker-cpu 6g -e WORKER_METRICS_PORT=1910$number \
        -e "REDIS_URL=$WORKER_REDIS_URL"
done
await "http://127.0.0.1:$http_port/ready" "a gateway that sees a worker"
for number in 1 2; do await "http://127.0.0.1:1910$number/metrics" "a worker"; done
echo "ready after $((SECONDS - began)) s"
"${podman[@]}" exec "${names[1]}" sh -c 'id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status
    touch /srv/antiphon/x 2>&1 | tail -1'

echo "a call:"
talk

echo "a call whose worker stops:"
talk >"$work/second.json" &
calling=$!
holder=
until [ -n "$holder" ]; do
    kill -0 "$calling"
    for number in 1 2; do
        metrics=$(curl -fsS "http://127.0.0.1:1910$number/metrics")
        ! grep -q '^antiphon_sessions 1' <<<"$metrics" || holder=${names[number]}
    done
done
start=$(date +%s%N)
"${podman[@]}" stop --time 15 "$holder" >/dev/null
echo "$holder stopped in $((($(date +%s%N) - start) / 1000000)) ms," \
    "exit status $("${podman[@]}" inspect "$holder" --format '{{.State.ExitCode}}')"
wait "$calling"
cat "$work/second.json"

password=${OPERATOR_REDIS_URL#*operator:}
password=${password%@*}
echo "what Redis refused to its users:"
redis-cli -p "$redis_port" --user operator --pass "$password" \
    --no-auth-warning acl log
