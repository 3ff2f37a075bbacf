# HAProxy's resolvers and server-template: servers from SRV records, without a companion.
#   haproxy.sh PROGRAM SCRATCH
set -u
AGENT=http://$CONSUL_HTTP_ADDR
DIR=$2/haproxy
mkdir -p "$DIR"
read -r FRONT ONE TWO <<<"$(/usr/bin/python3 -c '
import socket
held = [socket.socket() for _ in range(3)]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])')"
STARTED=()
trap 'kill "${STARTED[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
for backend in "$ONE" "$TWO"; do
    mkdir -p "$DIR/$backend" && echo "$backend" >"$DIR/$backend/index.html"
    /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$DIR/$backend" "$backend" >/dev/null 2>&1 &
    STARTED+=($!)
done
cat >"$DIR/haproxy.cfg" <<C
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
resolvers registry
  nameserver agent 127.0.0.1:$REGISTRY_DNS_PORT
  accepted_payload_size 1232
  timeout resolve 500ms
  timeout retry 500ms
  hold valid 500ms
  hold nx 500ms
  hold obsolete 500ms
frontend front
  bind 127.0.0.1:$FRONT
  default_backend web
backend web
  server-template web 3 _resolved._tcp.service.consul resolvers registry resolve-prefer ipv4 init-addr none
C
"$1" -db -f "$DIR/haproxy.cfg" >"$DIR/log" 2>&1 &
STARTED+=($!)

register() {
    curl -sf -X PUT "$AGENT/v1/agent/service/register" \
        -d "{\"ID\":\"resolved-$1\",\"Name\":\"resolved\",\"Address\":\"127.0.0.1\",\"Port\":$1}" || exit 1
}
# Who answers ten requests, or the status of those that fail.
answers() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        curl -s -m 5 -w '%{http_code} ' "http://127.0.0.1:$FRONT/" | tr -d '\n<' | sed 's/^\([0-9]*\)200 $/\1/; s/.*503 $/503/'
        echo
    done | sort -u | tr '\n' ' '
}
until_answers() {
    for _ in $(seq 80); do
        got=$(answers)
        [ "$got" = "$1" ] && return
        sleep 0.25
    done
    echo "never so: $1; last: $got"
    exit 1
}
until_answers "503 "
register "$ONE"
until_answers "$ONE "
register "$TWO"
until_answers "$(printf '%s\n' "$ONE" "$TWO" | sort | tr '\n' ' ')"
curl -sf -X PUT "$AGENT/v1/agent/service/deregister/resolved-$ONE" || exit 1
until_answers "$TWO "
curl -sf -X PUT "$AGENT/v1/agent/service/deregister/resolved-$TWO" || exit 1
until_answers "503 "
echo "servers come and go with SRV records"
