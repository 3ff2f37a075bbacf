#!/bin/sh
# Measures HAProxy with the companion of target/registry, under load and faults, and prints a table, also kept in
# target/bench-haproxy.md; 25 minutes.
#   BENCH_RUNS=1             how often each is measured; five times without it
#   BENCH_ROWS=faults,hop    only these sections of it-tests/…/haproxy/HaproxyBench.java
# Wants JAVA_HOME, haproxy 2.6 or newer.
set -eu

command -v haproxy >/dev/null || {
    echo "HAProxy is not installed: install the package haproxy" >&2
    exit 1
}
mvn -q ${MAVEN_ARGS-} -T1 -pl it-tests -am test-compile dependency:build-classpath \
    -Dmdep.outputFile="$PWD/target/bench-haproxy.classpath" -Dmdep.includeScope=test

# One connection per request in flight, and a frozen backend lets them pile up.
ulimit -n "$(ulimit -H -n)"
exec "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx1g -Dregistry.home=target/registry \
    -cp "it-tests/target/test-classes:it-tests/target/classes:$(cat target/bench-haproxy.classpath)" \
    registry.it.haproxy.HaproxyBench target/bench-haproxy target/bench-haproxy.md
