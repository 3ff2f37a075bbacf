package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A switch and a network namespace for each node behind it; nothing of it is seen in the machine's
 * own network. What goes from one node to another may be lost, in part or all of it, in one
 * direction or both. The names of namespaces hold the JVM's process id and its start, so that what
 * a killed JVM left behind is known for stale; a watchdog removes it as soon as the JVM is gone.
 */
final class Network implements AutoCloseable {
    private static final String NAME = "registry-it";
    private static final String PREFIX = "10.42.0.";
    private static final AtomicInteger COUNT = new AtomicInteger();

    /** Ends what runs in the namespaces that begin with $1, and removes them. */
    private static final String SWEEP =
            """
            sweep() {
                for ns in $(ip netns list | cut -d' ' -f1 | grep "^$1"); do
                    pids=$(ip netns pids "$ns")
                    [ -z "$pids" ] || kill -9 $pids 2>/dev/null
                    ip netns del "$ns"
                done
                return 0
            }
            """;

    /** Its standard input ends with this JVM, however that ends. */
    private static final String WATCHDOG =
            SWEEP
                    + """
                    trap '' INT TERM HUP
                    cat >/dev/null
                    sweep "$1"
                    """;

    /** A namespace is stale when no process has the id and the start that its name holds. */
    private static final String SWEEP_STALE =
            SWEEP
                    + """
                    for ns in $(ip netns list | cut -d' ' -f1 | grep "^registry-it-"); do
                        rest=${ns#registry-it-}
                        pid=${rest%%-*}
                        rest=${rest#*-}
                        began=$(sed 's/.*) //' /proc/$pid/stat 2>/dev/null | cut -d' ' -f20)
                        [ "$began" = "${rest%%-*}" ] || sweep "$ns"
                    done
                    """;

    private final String name;
    private final Process watchdog;
    private final List<String> nodes = new ArrayList<>();

    /** Per cent lost, by receiver and sender, both as addresses. */
    private final Map<String, Map<String, Integer>> lost = new TreeMap<>();

    private final List<String> withoutUdp = new ArrayList<>();

    /**
     * @throws IOException with the reason when this machine does not allow it
     */
    Network() throws IOException {
        name =
                NAME
                        + "-"
                        + ProcessHandle.current().pid()
                        + "-"
                        + began()
                        + "-"
                        + COUNT.incrementAndGet()
                        + "-";
        sh(SWEEP_STALE);
        watchdog = new ProcessBuilder("sh", "-c", WATCHDOG, "watchdog", name).start();
        try {
            sh(
                    "ip netns add HUB && ip -n HUB link add br0 type bridge && ip -n HUB link set br0 up"
                            .replace("HUB", hub()));
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** When this process began, as the kernel counts it. */
    private static String began() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
    }

    private String hub() {
        return name + "hub";
    }

    /** Adds a node and gives its address. */
    String add() throws IOException {
        int number = nodes.size() + 1;
        String address = PREFIX + number;
        nodes.add(address);
        sh(
                """
                set -e
                ip netns add NODE
                ip -n NODE link set lo up
                ip -n HUB link add pNUMBER type veth peer name eth0 netns NODE
                ip -n HUB link set pNUMBER master br0 up
                ip -n NODE addr add ADDRESS/24 dev eth0
                ip -n NODE link set eth0 up
                """
                        .replace("NODE", namespace(address))
                        .replace("HUB", hub())
                        .replace("NUMBER", Integer.toString(number))
                        .replace("ADDRESS", address));
        return address;
    }

    private String namespace(String address) {
        return name + address.substring(PREFIX.length());
    }

    Path file(String address) {
        return Path.of("/run/netns", namespace(address));
    }

    /**
     * Words to put before a command so that it runs at this address; they add no process, and
     * mounts stay those of the machine.
     */
    List<String> entry(String address) {
        return List.of("nsenter", "--net=" + file(address));
    }

    /** Loses so many per cent of all packets from one node to another. */
    synchronized void lose(String from, String to, int percent) {
        lost.computeIfAbsent(to, receiver -> new TreeMap<>()).put(from, percent);
    }

    /** Loses every datagram that comes to this node. */
    synchronized void blockUdp(String at) {
        withoutUdp.add(at);
    }

    synchronized void heal() {
        lost.clear();
        withoutUdp.clear();
        nodes.forEach(this::apply);
    }

    synchronized void apply() {
        nodes.forEach(this::apply);
    }

    /**
     * The receiver drops: a sender that drops would be told so, which no lossy network does. One
     * transaction replaces all rules of a node.
     */
    private void apply(String node) {
        var rules = new StringBuilder();
        lost.getOrDefault(node, Map.of())
                .forEach((from, percent) -> {
                    rules.append("    ip saddr ").append(from);
                    if (percent < 100) {
                        rules.append(" numgen random mod 100 < ").append(percent);
                    }
                    rules.append(" drop\n");
                });
        if (withoutUdp.contains(node)) {
            rules.append("    iifname eth0 meta l4proto udp drop\n");
        }
        String all =
                """
                add table ip faults
                delete table ip faults
                table ip faults {
                  chain arriving {
                    type filter hook input priority 0
                RULES  }
                }
                """
                        .replace("RULES", rules);
        var command = new ArrayList<>(entry(node));
        command.addAll(List.of("env", "PATH=/usr/sbin:/sbin:/usr/bin:/bin", "nft", "-f", "-"));
        Launcher.Result result = Launcher.run(command, Map.of(), all);
        if (result.exit() != 0) {
            throw new UncheckedIOException(new IOException("nft: " + result.all() + all));
        }
    }

    private static void sh(String script, String... args) throws IOException {
        var command =
                new ArrayList<>(
                        List.of(
                                "env",
                                "PATH=/usr/sbin:/sbin:/usr/bin:/bin",
                                "sh",
                                "-c",
                                script,
                                "network"));
        command.addAll(List.of(args));
        Launcher.Result result = Launcher.run(command, Map.of(), "");
        if (result.exit() != 0) {
            throw new IOException("no network namespaces: " + result.all().strip());
        }
    }

    @Override
    public void close() throws IOException {
        sh(SWEEP + "sweep \"$1\"", name);
        watchdog.getOutputStream().close();
    }
}
