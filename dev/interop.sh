#!/bin/bash
# Real clients, as others have written and packaged them, against a fresh agent of target/registry.
#   dev/interop.sh [client...]        all by default; prints one line per client, fails when one has failed
# Fetches what it needs into interop/target with apt-get download, npm and Maven; installs nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
HERE=$PWD
WORK=$HERE/interop/target
CLIENTS=$HERE/interop/clients
mkdir -p "$WORK"
RUN=$(mktemp -d "$WORK/run.XXXXXX")
SECONDS_EACH=240
FAILED=0
AGENT=

free_ports() {
    /usr/bin/python3 - "$1" <<'P'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])
P
}

start_agent() {
    read -r HTTP DNS SERVER LAN WAN <<<"$(free_ports 5)"
    export REGISTRY_HOST=127.0.0.1 REGISTRY_PORT=$HTTP REGISTRY_DNS_PORT=$DNS
    export CONSUL_HTTP_ADDR=127.0.0.1:$HTTP
    cat >"$RUN/agent.hcl" <<C
node_name = "interop" server = true bootstrap_expect = 1 data_dir = "$RUN/data"
bind_addr = "127.0.0.1" client_addr = "127.0.0.1" enable_script_checks = true
ports { http = $HTTP dns = $DNS server = $SERVER serf_lan = $LAN serf_wan = $WAN }
C
    "$HERE/target/registry/bin/registry" agent -config-file "$RUN/agent.hcl" >"$RUN/agent.log" 2>&1 &
    AGENT=$!
    for _ in $(seq 150); do
        curl -sf "http://$CONSUL_HTTP_ADDR/v1/health/node/interop" | grep -q serfHealth && return
        sleep 0.2
    done
    echo "the agent does not start:"
    tail -20 "$RUN/agent.log"
    exit 1
}

finish() {
    if [ -n "$AGENT" ]; then
        kill "$AGENT" 2>/dev/null
        wait "$AGENT" 2>/dev/null
    fi
    if [ "$FAILED" = 0 ]; then
        rm -rf "$RUN"
    else
        echo "logs: $RUN"
    fi
}
trap finish EXIT

# The content of a Debian package, without installing it.
debian() {
    local to=$WORK/debian/$1
    if [ ! -d "$to" ]; then
        (mkdir -p "$to.part" && cd "$to.part" && apt-get download "$1" && dpkg-deb -x ./*.deb . && rm ./*.deb) \
            >>"$RUN/fetch.log" 2>&1 || return 1
        mv "$to.part" "$to"
    fi
    echo "$to"
}

# Where the libraries of Debian packages are.
libraries() {
    local package found=
    for package in "$@"; do
        found=$found$(echo "$(debian "$package")"/usr/lib/*-linux-gnu): || return 1
    done
    echo "$found"
}

npm_packages() {
    [ -d "$WORK/npm/node_modules/consul2" ] && return
    mkdir -p "$WORK/npm" && cd "$WORK/npm" && npm init -y >/dev/null &&
        npm install --no-audit --no-fund consul1@npm:consul@1.2.0 consul2@npm:consul@2.0.1 >>"$RUN/fetch.log" 2>&1
}

# Which sources are newer than what was made of them.
newer() {
    if [ -f "$1" ]; then
        find "$2/pom.xml" "$2/src" -newer "$1" -type f
    else
        echo all
    fi
}

java_classes() {
    [ -z "$(newer "$WORK/java/classpath" interop/java)" ] && return
    (cd interop/java && JAVA_HOME=$(sh ../../dev/find-jdk.sh) mvn -q -B compile \
        dependency:build-classpath -Dmdep.outputFile="$WORK/java/classpath") >>"$RUN/fetch.log" 2>&1
}

# The application of Spring Cloud Consul in one of its versions, with the Spring Boot that goes with it.
spring_classes() {
    local target=$WORK/spring-$1
    if [ -n "$(newer "$target/classpath" interop/spring)" ]; then
        (cd interop/spring && JAVA_HOME=$(sh ../../dev/find-jdk.sh) mvn -q -B -Dinterop.target="$target" \
            -Dspring-cloud-consul.version="$1" -Dspring-boot.version="$2" compile \
            dependency:build-classpath -Dmdep.outputFile="$target/classpath") >>"$RUN/fetch.log" 2>&1 || return 1
    fi
    echo "$target/classes:$(cat "$target/classpath")"
}

# Where the Python modules of Debian packages are.
modules() {
    local package found=
    for package in "$@"; do
        found=$found$(debian "$package")/usr/lib/python3/dist-packages: || return 1
    done
    echo "$found"
}

# Prints the line of a client: its name, then how it is run.
report() {
    local name=$1
    shift
    timeout "$SECONDS_EACH" "$@" >"$RUN/$name.log" 2>&1
    local code=$?
    case $code in
        0) printf '%-24s passed   %s\n' "$name" "$(tail -1 "$RUN/$name.log")" ;;
        77) printf '%-24s skipped  %s\n' "$name" "$(tail -1 "$RUN/$name.log")" ;;
        *)
            FAILED=1
            printf '%-24s FAILED   exit %s: %s\n' "$name" "$code" "$(tail -1 "$RUN/$name.log")"
            ;;
    esac
}

missing() {
    printf '%-24s skipped  %s\n' "$1" "can't be fetched, see fetch.log"
    FAILED=1
}

client() {
    local files modules libraries
    case $1 in
        python3-consul | python3-consul2)
            modules=$(modules "$1" $REQUESTS) || { missing "$1"; return; }
            report "$1" env PYTHONPATH="$modules" /usr/bin/python3 "$CLIENTS/python.py" ;;
        npm-consul-1.2)
            (npm_packages) || { missing "$1"; return; }
            report "$1" env NODE_PATH="$WORK/npm/node_modules" node "$CLIENTS/npm.js" consul1 ;;
        npm-consul-2.0)
            (npm_packages) || { missing "$1"; return; }
            report "$1" env NODE_PATH="$WORK/npm/node_modules" node "$CLIENTS/npm.js" consul2 ;;
        kiwiproject | ecwid | vertx)
            java_classes || { missing "$1"; return; }
            report "$1" "$(sh dev/find-jdk.sh)/bin/java" -cp "interop/java/target/classes:$(cat "$WORK/java/classpath")" \
                "interop.${1^}" ;;
        spring-cloud-4.3 | spring-cloud-5.0)
            case $1 in
                *-4.3) files=$(spring_classes 4.3.0 3.5.7) ;;
                *) files=$(spring_classes 5.0.0 4.0.7) ;;
            esac
            [ -n "$files" ] || { missing "$1"; return; }
            report "$1" "$(sh dev/find-jdk.sh)/bin/java" -cp "$files" interop.Spring ;;
        vmagent)
            files=$(debian victoria-metrics) || { missing "$1"; return; }
            report "$1" bash "$CLIENTS/vmagent.sh" "$files/usr/bin/vmagent" "$RUN" ;;
        dnsmasq)
            files=$(debian dnsmasq-base) && libraries=$(libraries libnetfilter-conntrack3 libnfnetlink0 libmnl0) || { missing "$1"; return; }
            report "$1" env LD_LIBRARY_PATH="$libraries" bash "$CLIENTS/forwarder.sh" dnsmasq "$files/usr/sbin/dnsmasq" "$RUN" ;;
        unbound)
            files=$(debian unbound) && libraries=$(libraries libevent-2.1-7 libprotobuf-c1 libnghttp2-14) || { missing "$1"; return; }
            report "$1" env LD_LIBRARY_PATH="$libraries" bash "$CLIENTS/forwarder.sh" unbound "$files/usr/sbin/unbound" "$RUN" ;;
        haproxy)
            command -v haproxy >/dev/null || { missing "$1"; return; }
            report "$1" bash "$CLIENTS/haproxy.sh" "$(command -v haproxy)" "$RUN" ;;
        ansible)
            modules=$(modules ansible-core ansible python3-consul $REQUESTS python3-jinja2 python3-markupsafe python3-packaging \
                python3-resolvelib python3-yaml python3-cryptography python3-cffi-backend) || { missing "$1"; return; }
            report "$1" env PYTHONPATH="$modules" HOME="$RUN" ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false \
                ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8 \
                bash "$CLIENTS/ansible.sh" "$WORK/debian/ansible-core/usr/bin/ansible-playbook" "$CLIENTS/ansible.yml" ;;
        patroni)
            modules=$(modules patroni python3-consul $REQUESTS python3-psycopg2 python3-psutil python3-dateutil python3-click \
                python3-prettytable python3-wcwidth python3-cdiff python3-yaml python3-pkg-resources) &&
                libraries=$(libraries libpq5 libicu72 libxml2) && debian postgresql-15 >/dev/null &&
                debian postgresql-client-15 >/dev/null || { missing "$1"; return; }
            report "$1" env PYTHONPATH="$modules" LD_LIBRARY_PATH="$libraries" /usr/bin/python3 "$CLIENTS/patroni.py" \
                "$HERE/target/registry/bin/registry" "$WORK/debian/patroni/usr/bin/patroni" \
                "$WORK/debian/postgresql-15/usr/lib/postgresql/15/bin" \
                "$WORK/debian/postgresql-client-15/usr/lib/postgresql/15/bin" "$RUN" ;;
        *)
            echo "no such client: $1"
            FAILED=1 ;;
    esac
}

ALL="python3-consul python3-consul2 npm-consul-1.2 npm-consul-2.0 kiwiproject ecwid vertx spring-cloud-4.3 spring-cloud-5.0 vmagent dnsmasq unbound haproxy ansible patroni"
REQUESTS="python3-requests python3-six python3-urllib3 python3-chardet python3-certifi python3-idna"
start_agent
for name in ${*:-$ALL}; do
    client "$name"
done
exit "$FAILED"
