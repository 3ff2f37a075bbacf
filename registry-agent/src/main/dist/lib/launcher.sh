# What the commands in bin share: sourced with $home set. Shell builtins wherever they do, for a quick start.

jvm_flags= wrapper=

# Reads what we need of the JDK in $1 from its release file into $jdk_major and $jdk_build; fails if there is none.
read_release() {
    jdk_major=0 jdk_build=
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    while IFS='="' read -r name _ value _; do
        case $name in
            JAVA_VERSION) jdk_major=${value%%[!0-9]*} ;;
            IMPLEMENTOR | JAVA_RUNTIME_VERSION | OS_ARCH) jdk_build="$jdk_build $name=$value" ;;
        esac
    done <"$1/release"
}

# Sets $java to REGISTRY_JAVA, or to the first Java 25 or newer of JAVA_HOME, PATH and /usr/lib/jvm; or ends with a message.
find_java() {
    if [ -n "${REGISTRY_JAVA-}" ]; then
        if [ -d "$REGISTRY_JAVA" ]; then
            java=$REGISTRY_JAVA/bin/java
        else
            java=$REGISTRY_JAVA
        fi
        if ! [ -x "$java" ]; then
            printf '%s\n' "registry: REGISTRY_JAVA=\"$REGISTRY_JAVA\" is not a java program" >&2
            exit 1
        fi
        read_release "${java%/bin/java}" || true
        return
    fi
    if [ -n "${JAVA_HOME-}" ] && read_release "$JAVA_HOME" && [ "$jdk_major" -ge 25 ]; then
        java=$JAVA_HOME/bin/java
        return
    fi
    if on_path=$(command -v java) && on_path=$(readlink -f -- "$on_path") \
        && read_release "${on_path%/bin/java}" && [ "$jdk_major" -ge 25 ]; then
        java=$on_path
        return
    fi
    for jdk in /usr/lib/jvm/*; do
        if read_release "$jdk" && [ "$jdk_major" -ge 25 ]; then
            java=$jdk/bin/java
            return
        fi
    done
    echo "registry needs Java 25 or newer: install it (Debian 13: openjdk-25-jre-headless) or set JAVA_HOME" >&2
    exit 1
}

# Uses the cache of loaded classes $1 if it was made with this very JDK; any other would only be refused.
use_cache() {
    [ -r "$1" ] && [ -r "$1.jdk" ] && IFS= read -r made_by <"$1.jdk" || return 0
    if [ "$made_by" = "$jdk_build" ]; then
        cache=$1
    fi
}

# A script's background job begins with SIGINT ignored, one of nohup with SIGHUP, and Java would leave them so: what is going
# to run has to hear both.
hear_signals() {
    if env --default-signal=HUP,INT true 2>/dev/null; then
        wrapper='env --default-signal=HUP,INT'
    fi
}

# Sets the largest heap to $1; the rest are further flags without blanks.
set_heap() {
    jvm_flags="-Xmx$1"
    shift
    jvm_flags="$jvm_flags $*"
}

# Becomes the main class $1 of the jar $2, with the remaining arguments.
exec_java() {
    main=$1 jar=$2
    shift 2
    set -f
    # One arena of malloc instead of one per core and thread; text is UTF-8 whatever the locale.
    export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"
    case ${LC_ALL:-${LC_CTYPE:-${LANG-}}} in
        *[Uu][Tt][Ff]8 | *[Uu][Tt][Ff]-8) ;;
        *) export LC_ALL=C.UTF-8 ;;
    esac
    # The cache fits only as long as the collector, compact headers and class path stay as they were in its making (dev/aot.sh).
    exec $wrapper "$java" -XX:+UseSerialGC -XX:+UseCompactObjectHeaders -Xms16m -XX:MaxNewSize=24m \
        -XX:TrimNativeHeapInterval=5000 $jvm_flags \
        ${cache:+"-XX:AOTCache=$cache"} -Xlog:aot=off -Xlog:cds=off \
        --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        "-Dregistry.command=${0##*/}" '-Djdk.serialFilter=!*' "-Djava.library.path=$home/lib/native" \
        ${REGISTRY_JAVA_OPTS-} -cp "$jar" "$main" "$@"
}
