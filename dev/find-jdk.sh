#!/bin/sh
# Prints the home of a JDK 25 or newer: JAVA_HOME, then the javac on PATH, then /usr/lib/jvm.
# Says in one line what to install when there is none, and fails.

# The major version of the JDK in $1, from its release file; nothing if there is none.
major() {
    [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

on_path=$(command -v javac 2>/dev/null) && on_path=$(readlink -f "$on_path") && on_path=${on_path%/bin/javac}
for home in "$JAVA_HOME" "$on_path" /usr/lib/jvm/*; do
    version=$(major "$home")
    if [ "${version:-0}" -ge 25 ]; then
        printf '%s\n' "$home"
        exit 0
    fi
done
echo "registry needs a JDK 25 or newer to build: install one (Debian 13: openjdk-25-jdk-headless, or Temurin 25) or set JAVA_HOME" >&2
exit 1
