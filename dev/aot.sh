#!/bin/sh
# Makes lib/registry.aot in the distribution $1: the classes that an agent loads, parsed and linked, found by a training
# run of one of three servers, which follows and leads. The launcher uses it only with the JDK that lib/registry.aot.jdk names. AOT=no leaves it out.
# A failure is told in one line and is no failure of the build: the agent starts without the cache, only slower.
set -u

if [ "${AOT-}" = no ]; then
    exit 0
fi

home=$(cd "$1" && pwd -P) || exit
cache=$home/lib/registry.aot
work=$(mktemp -d) || exit
agent=
others=
# shellcheck disable=SC2086
trap 'if [ -n "$agent$others" ]; then kill -9 $agent $others; fi 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

last_words() {
    grep -v 'AOT' "$work/aot.log" | tail -n 1
}

skip() {
    echo "no AOT cache: $1" >&2
    rm -f "$cache" "$cache.config" "$cache.jdk"
    exit 0
}

command -v curl >/dev/null || skip "curl is not installed"

# Five ports for each below the range of outgoing connections: HTTP, DNS, RPC, gossip, gossip over the WAN.
# curl answers 7 where nobody listens.
http=$((20000 + ($$ * 7) % 9000 / 10 * 10))
is_free() {
    curl -s -m 1 -o "$work/answer" "http://127.0.0.1:$1"
    [ $? = 7 ]
}
until is_free "$http" && is_free $((http + 10)) && is_free $((http + 20)); do
    http=$((http + 30))
done
api=http://127.0.0.1:$http/v1

. "$home/lib/launcher.sh"
REGISTRY_JAVA=${REGISTRY_JAVA:-$JAVA_HOME}
find_java
export REGISTRY_JAVA

# Name, first port, options for the JVM.
server() {
    exec env REGISTRY_JAVA_OPTS="$3" "$home/bin/registry" agent -server -bootstrap-expect 3 -node "$1" -data-dir "$work/$1" \
        -bind 127.0.0.1 -client 127.0.0.1 -http-port "$2" -dns-port $(($2 + 1)) -server-port $(($2 + 2)) \
        -serf-lan-port $(($2 + 3)) -serf-wan-port $(($2 + 4)) -retry-join "127.0.0.1:$((http + 3))" \
        -retry-join "127.0.0.1:$((http + 13))" >"$work/$1.log" 2>&1
}

rm -f "$cache" "$cache.jdk"
server aot "$http" "-XX:AOTCacheOutput=$cache" &
agent=$!
for other in 1 2; do
    server "other$other" $((http + other * 10)) "" &
    others="$others $!"
done

tries=0
until leader=$(curl -sf -m 2 "$api/status/leader") && [ "$leader" != '""' ]; do
    tries=$((tries + 1))
    if ! kill -0 "$agent" 2>/dev/null || [ $tries -gt 150 ]; then
        skip "the agent did not start: $(last_words)"
    fi
    sleep 0.2
done

lead() {
    call -X POST "$api/operator/raft/transfer-leader$1"
}

# One of each kind that a node does in its first minutes; what an answer says does not matter here.
call() {
    curl -s -m 5 -o "$work/answer" "$@" || true
}
self=$(curl -s -m 5 "$api/agent/self" | sed -n 's/.*"NodeID":"\([^"]*\)".*/\1/p')
lead "?id=$self"
call -X PUT -d '{"Name":"web","Port":'"$http"',"Check":{"HTTP":"'"$api"'/status/leader","Interval":"1s"}}' \
    "$api/agent/service/register"
call -X PUT -d '{"Name":"tcp","TCP":"127.0.0.1:'"$http"'","Interval":"1s"}' "$api/agent/check/register"
call -X PUT -d one "$api/kv/aot/key"
call -X PUT -d '{"Name":"aot","TTL":"30s"}' "$api/session/create"
for path in agent/self agent/members agent/services agent/checks catalog/nodes catalog/services catalog/service/web \
    'health/service/web?passing' health/node/aot health/state/any 'kv/aot/key' 'kv/aot?recurse' session/list status/peers \
    'health/service/web?index=1&wait=1s' 'kv/aot/key?index=1000000&wait=1s' 'agent/metrics'; do
    call "$api/$path"
done
call "http://127.0.0.1:$http/ui/"
for command in members 'kv get aot/key' 'catalog services'; do
    # shellcheck disable=SC2086
    "$home/bin/registry" $command -http-addr "127.0.0.1:$http" >/dev/null 2>&1 || true
done
lead ""
call -X PUT -d two "$api/kv/aot/key"
call "$api/kv/aot/key"
call -X PUT "$api/agent/service/deregister/web"
call -X DELETE "$api/kv/aot?recurse"

kill -TERM "$agent"
tries=0
while kill -0 "$agent" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ]; then
        skip "the training run did not end"
    fi
    sleep 0.2
done
agent=
[ -s "$cache" ] || skip "the training run left none: $(last_words)"
printf '%s\n' "$jdk_build" >"$cache.jdk"
# Just written it would stay in the kernel's cache in pieces of two megabytes, of which a reader maps all: 18 MB more in each
# process than after the next boot.
sync "$cache" && dd if="$cache" iflag=nocache count=0 2>/dev/null || true
