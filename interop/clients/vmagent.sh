# vmagent's consul_sd_configs: finds what is registered, scrapes it, and hears of what is gone.
#   vmagent.sh PATH_OF_VMAGENT SCRATCH
set -u
AGENT=http://$CONSUL_HTTP_ADDR
DIR=$2/vmagent
mkdir -p "$DIR"
read -r WEB TARGET <<<"$(/usr/bin/python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')"
cat >"$DIR/scrape.yml" <<C
scrape_configs:
  - job_name: registry
    scrape_interval: 1s
    consul_sd_configs:
      - server: "$CONSUL_HTTP_ADDR"
        services: [scraped]
    relabel_configs:
      - source_labels: [__meta_consul_tags]
        target_label: tags
      - source_labels: [__meta_consul_service_metadata_kind]
        target_label: kind
C
"$1" -promscrape.config="$DIR/scrape.yml" -httpListenAddr=127.0.0.1:"$WEB" -remoteWrite.url=http://127.0.0.1:1/ \
    -remoteWrite.tmpDataPath="$DIR" -promscrape.consulSDCheckInterval=1s >"$DIR/log" 2>&1 &
VMAGENT=$!
trap 'kill $VMAGENT 2>/dev/null; wait $VMAGENT 2>/dev/null' EXIT
curl -sf -X PUT "$AGENT/v1/agent/service/register" \
    -d "{\"Name\":\"scraped\",\"Port\":$TARGET,\"Address\":\"127.0.0.1\",\"Tags\":[\"x\"],\"Meta\":{\"kind\":\"web\"}}" || exit 1

targets() { curl -s "http://127.0.0.1:$WEB/api/v1/targets"; }
until_targets() {
    for _ in $(seq 60); do
        targets | grep -q "$1" && return
        sleep 0.5
    done
    echo "never so: $1; targets: $(targets | head -c 600)"
    exit 1
}
until_targets "127.0.0.1:$TARGET"
targets | grep -q '"tags":",x,"' || { echo "no tags: $(targets | head -c 600)"; exit 1; }
targets | grep -q '"kind":"web"' || { echo "no metadata: $(targets | head -c 600)"; exit 1; }
curl -sf -X PUT "$AGENT/v1/agent/service/deregister/scraped" || exit 1
until_targets '"activeTargets":\[\]'
echo "a target found with its labels, and gone when deregistered"
