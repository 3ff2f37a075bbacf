#!/bin/sh
# Packs the distribution $1 as target/registry-VERSION.tar.gz, without the start-up cache: it fits one JDK build only.
set -eu
version=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' pom.xml)
tarball=target/registry-$version.tar.gz
tar --create --gzip --file "$tarball" --directory "${1%/*}" --owner=0 --group=0 --sort=name \
    --exclude='registry.aot*' --exclude=.complete --transform "s,^${1##*/},registry-$version," "${1##*/}"
echo "$tarball"
