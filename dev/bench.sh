#!/bin/sh
# Measures target/registry beside a bare Jetty and prints a table, also kept in target/bench.md; ten minutes.
#   BENCH_ROWS=kv,parked   only the rows whose name in it-tests/…/bench/Row.java holds one of these words
#   BENCH_OTHER=DIR        another unpacked distribution, in turns with this one in the rows of three servers
#   BENCH_QUICK=1          shorter, so rougher: under two minutes
# Wants JAVA_HOME.
set -eu

mvn -q ${MAVEN_ARGS-} -T1 -pl it-tests -am test-compile

# Agent and load generator hold 10,000 connections each.
ulimit -n "$(ulimit -H -n)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt 10500 ]; then
    echo "only $(ulimit -n) open files are allowed: the rows of 10,000 parked queries will fail" >&2
fi

classes=it-tests/target/test-classes:it-tests/target/classes
for jar in target/registry/lib/jetty-server-*.jar target/registry/lib/jetty-http-*.jar target/registry/lib/jetty-io-*.jar \
    target/registry/lib/jetty-util-*.jar target/registry/lib/slf4j-api-*.jar; do
    classes=$classes:$jar
done

# The JVM ends what it has started, whichever way it ends itself.
exec "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx1g -cp "$classes" \
    registry.bench.Bench target/registry target/bench target/bench.md
