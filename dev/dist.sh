#!/bin/sh
# Lays out the distribution in the directory $1 from what `mvn package` left in the modules' target directories:
# bin, lib (jars), lib/native, etc. Wants JAVA_HOME.
set -eu

dist=$1
new=$dist.new
rm -rf "$new"
mkdir -p "$new/lib/native"

cp -R registry-agent/src/main/dist/. haproxy-renderer/src/main/dist/. "$new"
cp registry-agent/src/main/resources/registry/agent/cli/version.txt "$new/lib"
cp LICENSE README.md CHANGELOG.md "$new"
for module in registry-agent haproxy-renderer; do
    cp -p "$module/target/$module.jar" "$module"/target/lib/*.jar "$new/lib"
done

# rocksdbjni brings 15 platforms, 92 MB: keep the classes as a jar and the two libraries of Linux with glibc beside it,
# where java.library.path finds them, so that nothing is unpacked to /tmp at each start.
set -- "$new"/lib/rocksdbjni-*.jar
if [ -f "$1" ]; then
    slim=target/native/${1##*/}
    if ! [ -d "$slim" ]; then
        rm -rf target/native
        mkdir -p "$slim.new"
        full=$PWD/registry-agent/target/lib/${1##*/}
        (
            cd "$slim.new"
            "$JAVA_HOME/bin/jar" --extract --file "$full" org META-INF librocksdbjni-linux64.so librocksdbjni-linux-aarch64.so
            "$JAVA_HOME/bin/jar" --create --file slim.jar --date 2026-01-01T00:00:00Z --no-manifest org META-INF
            rm -rf org META-INF
        )
        mv "$slim.new" "$slim"
    fi
    cp -p "$slim/slim.jar" "$1"
    cp -p "$slim"/*.so "$new/lib/native"
fi

# A running agent keeps the files it has open; a reader never sees half a directory.
if [ -d "$dist" ]; then
    rm -rf "$dist.old"
    mv "$dist" "$dist.old"
fi
mv "$new" "$dist"
rm -rf "$dist.old"
