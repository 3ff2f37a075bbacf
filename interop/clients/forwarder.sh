# A resolver that forwards .consul to the agent, as Consul's documentation sets it up.
#   forwarder.sh dnsmasq|unbound PROGRAM SCRATCH
set -u
DIR=$3/$1
mkdir -p "$DIR"
PORT=$(/usr/bin/python3 -c '
import socket
while True:
    a, b = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    a.bind(("127.0.0.1", 0))
    try:
        b.bind(a.getsockname())
        print(a.getsockname()[1])
        break
    except OSError:
        pass')
case $1 in
    dnsmasq)
        "$2" --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= --log-facility="$DIR/log" \
            --port="$PORT" --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts \
            --server="/consul/127.0.0.1#$REGISTRY_DNS_PORT" &
        ;;
    unbound)
        cat >"$DIR/unbound.conf" <<C
server:
  interface: 127.0.0.1
  port: $PORT
  username: ""
  chroot: ""
  directory: "$DIR"
  pidfile: "$DIR/pid"
  use-syslog: no
  logfile: "$DIR/log"
  do-daemonize: no
  module-config: "iterator"
  do-not-query-localhost: no
  domain-insecure: "consul"
stub-zone:
  name: "consul"
  stub-addr: 127.0.0.1@$REGISTRY_DNS_PORT
remote-control:
  control-enable: no
C
        "$2" -d -c "$DIR/unbound.conf" &
        ;;
esac
RESOLVER=$!
trap 'kill $RESOLVER 2>/dev/null; wait $RESOLVER 2>/dev/null' EXIT
for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break
    kill -0 "$RESOLVER" 2>/dev/null || { echo "$1 ended: $(tail -2 "$DIR/log")"; exit 1; }
    sleep 0.1
done
/usr/bin/python3 "$(dirname "$0")/dns.py" "127.0.0.1:$PORT"
