#!/usr/bin/env bash
# The whole recipe on this machine: an agent, three small HTTP backends, HAProxy and its companion. Ctrl-C ends it all.
#   dev/run.sh            starts everything (make run builds first)
#   dev/run.sh start 2    starts backend 2 again, for a dev/run.sh that runs
#   RUN_SECONDS=20        ends by itself after so many seconds, for scripts
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PATH=$PATH:/usr/sbin:/sbin

dir=$PWD/target/run
home=$PWD/target/registry
declare -A pids=()
stopping=

say() { printf '%s\n' "$*"; }
die() {
    printf 'make run: %s\n' "$*" >&2
    exit 1
}

# Whether somebody listens on TCP or UDP port $1, on whatever address.
taken() {
    local hex
    printf -v hex ':%04X' "$1"
    while read -r _ address _ state _; do
        if [[ $address == *"$hex" && ($state == 0A || $state == 07) ]]; then
            return 0
        fi
    done < <(cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null)
    return 1
}

# Sets the variable $1 to port $2, or to the next free one; $3 is what it is for.
declare -A chosen=()
port() {
    local wanted=$2 free=$2
    while taken "$free" || [[ -n ${chosen[$free]-} ]]; do
        free=$((free + 1))
    done
    if [[ $free != "$wanted" ]]; then
        say "port $wanted is taken: $3 gets $free"
    fi
    chosen[$free]=1
    printf -v "$1" %s "$free"
}

# Ends what an earlier run that was killed has left, and nothing else: its programs name our directory.
sweep() {
    local file name pid
    for file in "$dir"/*.pid; do
        [[ -r $file ]] && read -r pid <"$file" || continue
        if [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qF "$dir"; then
            name=${file##*/}
            say "ending ${name%.pid} of an earlier run: pid $pid"
            kill "$pid" 2>/dev/null
            for _ in {1..50}; do
                [[ -d /proc/$pid ]] || break
                sleep 0.1
            done
            kill -9 "$pid" 2>/dev/null
        fi
    done
}

# Starts the command $2... as $1, with its output in a log.
start() {
    local name=$1
    shift
    "$@" >>"$dir/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
    echo "$!" >"$dir/$name.pid"
    # The shell shall not tell of its death: check_children does.
    disown
}

backend() {
    local number=$1 folder=$dir/backend-$1
    mkdir -p "$folder"
    echo "Hello from backend $number" >"$folder/index.html"
    start "backend-$number" "$java" -Xmx24m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -m jdk.httpserver -b 127.0.0.1 -p "$((backends[number]))" -d "$folder" -o none
}

# Prints the body of GET http://127.0.0.1:$1$2 when its status is 200.
get() {
    local line status=
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    read -r -t 5 -u 3 _ status _
    while IFS= read -r -t 5 -u 3 line && [[ $line != $'\r' ]]; do :; done
    cat <&3
    exec 3>&-
    [[ $status == 200 ]]
} 2>/dev/null

# Waits until the command $3... succeeds, $2 tenths of a second at most; says what $1 it waited for in vain.
await() {
    local what=$1 tenths=$2
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        if ((tenths-- <= 0)); then
            tail -n 15 "$dir"/*.log >&2
            die "$what, see the logs above, whole in $dir"
        fi
        check_children
        sleep 0.1
    done
}

# Says which program has ended; only backends may.
check_children() {
    local name
    for name in "${!pids[@]}"; do
        if ! kill -0 "${pids[$name]}" 2>/dev/null; then
            if [[ $name == backend-* ]]; then
                unset "pids[$name]"
                rm -f "$dir/$name.pid"
                say "$name has ended; start it again:   dev/run.sh start ${name#backend-}"
            else
                unset "pids[$name]"
                tail -n 20 "$dir/$name.log" >&2
                die "$name has ended by itself, its last lines are above"
            fi
        fi
    done
}

stop() {
    local code=$? name
    [[ -z $stopping ]] || return
    stopping=1
    trap '' INT TERM HUP
    ((${#pids[@]} == 0)) || say "stopping"
    # The companion first, with HAProxy; then those it looks at.
    for name in companion agent backend-1 backend-2 backend-3; do
        [[ -n ${pids[$name]-} ]] || continue
        kill "${pids[$name]}" 2>/dev/null
        for _ in {1..100}; do
            kill -0 "${pids[$name]}" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "${pids[$name]}" 2>/dev/null
        rm -f "$dir/$name.pid"
    done
    rm -f "$dir/run.pid"
    exit "$code"
}

install_haproxy() {
    command -v haproxy >/dev/null && return
    local sudo=
    if [[ $(id -u) != 0 ]]; then
        sudo="sudo -n"
        $sudo true 2>/dev/null || die "HAProxy is not installed: sudo apt-get install haproxy"
    fi
    command -v apt-get >/dev/null || die "HAProxy is not installed: install the package haproxy"
    say "installing HAProxy"
    # In runlevel 1 the package does not start its own service.
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -c 'apt-get -qq update; apt-get -qq install -y haproxy' >"$dir/apt.log" 2>&1 \
        && command -v haproxy >/dev/null || die "HAProxy could not be installed, see $dir/apt.log"
}

if [[ ${1-} == start ]]; then
    [[ ${2-} =~ ^[1-3]$ ]] || die "start which backend? dev/run.sh start 1, 2 or 3"
    [[ -r $dir/run.pid ]] && kill -0 "$(<"$dir/run.pid")" 2>/dev/null || die "nothing runs: make run"
    touch "$dir/start-$2"
    say "backend $2 is being started"
    exit 0
fi
[[ $# == 0 ]] || die "unknown argument \"$1\""
[[ -x $home/bin/registry ]] || die "target/registry is not built: make build"

mkdir -p "$dir"
if [[ -r $dir/run.pid ]] && running=$(<"$dir/run.pid") && [[ $running =~ ^[0-9]+$ ]] \
    && tr '\0' ' ' 2>/dev/null <"/proc/$running/cmdline" | grep -q 'run\.sh'; then
    die "already running: pid $running"
fi
install_haproxy
sweep
rm -rf "$dir"
mkdir -p "$dir/consul.d" "$dir/data"
chmod 700 "$dir/consul.d"
echo $$ >"$dir/run.pid"

. "$home/lib/launcher.sh"
find_java

port http 8500 "the HTTP API"
port dns 8600 "DNS"
port server 8300 "the server"
port serf_lan 8301 "gossip"
port serf_wan 8302 "gossip (WAN)"
port frontend 9000 "HAProxy"
declare -a backends=(0 0 0 0)
for number in 1 2 3; do
    port "backends[$number]" $((8080 + number)) "backend $number"
    cat >"$dir/consul.d/web-$number.json" <<END
{
  "service": {
    "id": "web-$number",
    "name": "web-frontend",
    "tags": ["rails"],
    "address": "127.0.0.1",
    "port": ${backends[number]},
    "check": {
      "http": "http://127.0.0.1:${backends[number]}/",
      "interval": "2s",
      "timeout": "1s"
    }
  }
}
END
done
cat >"$dir/consul.d/agent.json" <<END
{
  "bind_addr": "127.0.0.1",
  "ports": {"http": $http, "dns": $dns, "server": $server, "serf_lan": $serf_lan, "serf_wan": $serf_wan}
}
END
cat >"$dir/haproxy.yaml" <<END
agents: ["http://127.0.0.1:$http"]
data_dir: companion
haproxy:
  config: haproxy.cfg
  socket: haproxy.sock
  master_socket: haproxy-master.sock
services:
  web-frontend:
    bind: 127.0.0.1:$frontend
END

trap stop EXIT
trap 'exit 0' INT TERM HUP
# Each program in a process group of its own: Ctrl-C is for this script, which ends them in their order.
set -m

for number in 1 2 3; do
    backend "$number"
done
start agent "$home/bin/registry" agent -server -bootstrap-expect 1 -node agent-one \
    -data-dir "$dir/data" -config-dir "$dir/consul.d"
start companion "$home/bin/registry-haproxy" run -exec -config "$dir/haproxy.yaml"

passing() { get "$http" "/v1/health/service/web-frontend?passing" | grep -o '"ID":"web-[123]"' | sort -u | wc -l | grep -qx 3; }
await "the agent does not list three healthy instances" 300 passing
await "HAProxy does not answer" 300 get "$frontend" /

registry=target/registry/bin/registry
address=
if [[ $http != 8500 ]]; then
    address=" -http-addr=127.0.0.1:$http"
fi
cat <<END

  HAProxy         http://127.0.0.1:$frontend/
  HTTP API        http://127.0.0.1:$http/v1/catalog/services
  definitions     target/run/consul.d    configuration   target/run/haproxy.cfg    logs   target/run/*.log

Try, in another terminal:
  curl -s http://127.0.0.1:$http/v1/catalog/service/web-frontend
  kill -9 \$(cat target/run/backend-2.pid)       # nobody notices:   curl http://127.0.0.1:$frontend/
  $registry checks history$address service:web-2
and then, to have it back in service:
  dev/run.sh start 2

Ctrl-C ends everything.
END

end=$((SECONDS + ${RUN_SECONDS:-2147483}))
while ((SECONDS < end)); do
    sleep 0.2
    check_children
    for number in 1 2 3; do
        if [[ -e $dir/start-$number ]]; then
            rm -f "$dir/start-$number"
            if [[ -z ${pids[backend-$number]-} ]]; then
                backend "$number"
                say "backend-$number is started again: pid ${pids[backend-$number]}"
            fi
        fi
    done
done
