package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A switch and a network namespace for each node behind it; nothing of it is seen in the machine's
 * own network. What goes from one node to another may be lost, in part or all of it, in one
 * direction or both, and all of a node may be late. The names of namespaces hold the JVM's process
 * id and its start, so that what a killed JVM left behind is known for stale, should the {@link
 * Watchdog} be killed too.
 */
final class Network implements AutoCloseable {
    private static final String NAME = "registry-it";
    private static final String PREFIX = "10.42.0.";
    private static final String NAMESPACES = "/run/netns";
    private static final AtomicInteger COUNT = new AtomicInteger();

    /** Ends what runs in the namespaces that begin with $1, and removes them; one line. */
    private static final String SWEEP =
            """
            sweep() { \
                for ns in $(ip netns list | cut -d' ' -f1 | grep "^$1"); do \
                    ip netns pids $ns | xargs -r kill -9 2>/dev/null; \
                    ip netns del $ns; \
                done; \
                return 0; \
            }
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

    private static final String ADD =
            """
            ip netns add NODE
            ip -n NODE link set lo up
            ip -n HUB link add pNUMBER type veth peer name eth0 netns NODE
            ip -n HUB link set pNUMBER master br0 up
            ip -n NODE addr add ADDRESS/24 dev eth0
            ip -n NODE link set eth0 up
            """;

    /** The node's port leaves the switch, and is joined to it again by a slow wire. */
    private static final String SLOW =
            """
            set -e
            ip -n HUB link add dNUMBER type bridge
            ip -n HUB link set dNUMBER up
            ip -n HUB link set iNUMBER master dNUMBER up
            ip -n HUB link set oNUMBER master br0 up
            ip -n HUB link set pNUMBER master dNUMBER
            """;

    private static final String QUICK =
            """
            ip -n HUB link set pNUMBER master br0
            ip -n HUB link del dNUMBER
            """;

    private final String name;
    private final List<String> nodes = new ArrayList<>();

    /** Per cent lost, by receiver and sender, both as addresses. */
    private final Map<String, Map<String, Integer>> lost = new TreeMap<>();

    private final List<String> withoutUdp = new ArrayList<>();
    private final Map<String, DelayLine> delayed = new TreeMap<>();

    /**
     * @throws IOException with the reason when this machine does not allow it
     */
    Network(int size) throws IOException {
        long pid = ProcessHandle.current().pid();
        name = "%s-%d-%s-%d-".formatted(NAME, pid, Watchdog.began(pid), COUNT.incrementAndGet());
        Watchdog.undo(SWEEP.strip() + "; sweep " + name);
        var script = new StringBuilder(SWEEP_STALE + "set -e\n");
        script.append("ip netns add HUB\nip -n HUB link add br0 type bridge\n");
        script.append("ip -n HUB link set br0 up\n");
        for (int number = 1; number <= size; number++) {
            String address = PREFIX + number;
            nodes.add(address);
            script.append(
                    ADD.replace("NODE", namespace(address))
                            .replace("NUMBER", Integer.toString(number))
                            .replace("ADDRESS", address));
        }
        try {
            sh(script.toString().replace("HUB", hub()));
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** The nodes' addresses. */
    List<String> addresses() {
        return List.copyOf(nodes);
    }

    private String hub() {
        return name + "hub";
    }

    private String namespace(String address) {
        return name + number(address);
    }

    private static String number(String address) {
        return address.substring(PREFIX.length());
    }

    Path file(String address) {
        return Path.of(NAMESPACES, namespace(address));
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

    /** Lets every frame from and to this node arrive so much later, at once. */
    synchronized void delay(String node, Duration by) {
        String number = number(node);
        try {
            DelayLine line = delayed.get(node);
            if (line == null) {
                line = DelayLine.open(Path.of(NAMESPACES, hub()), "i" + number, "o" + number);
                delayed.put(node, line);
                sh(SLOW.replace("HUB", hub()).replace("NUMBER", number));
            }
            line.set(by);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized void heal() {
        lost.clear();
        withoutUdp.clear();
        apply();
        try {
            for (String node : delayed.keySet()) {
                sh(QUICK.replace("HUB", hub()).replace("NUMBER", number(node)));
                delayed.get(node).close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        delayed.clear();
    }

    /** Puts all faults into force that were told before. */
    synchronized void apply() {
        var script = new StringBuilder();
        for (String node : nodes) {
            script.append("nsenter --net=").append(file(node)).append(" nft -f - <<E || exit\n");
            script.append(rules(node)).append("E\n");
        }
        try {
            sh(script.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The receiver drops: a sender that drops would be told so, which no lossy network does. One
     * transaction replaces all rules of a node.
     */
    private String rules(String node) {
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
        return """
        add table ip faults
        delete table ip faults
        table ip faults {
          chain arriving {
            type filter hook input priority 0
        RULES  }
        }
        """
                .replace("RULES", rules);
    }

    private static void sh(String script, String... args) throws IOException {
        var command = new ArrayList<>(List.of("sh", "-c", script, "network"));
        command.addAll(List.of(args));
        Launcher.Result result =
                Launcher.run(command, Map.of("PATH", "/usr/sbin:/sbin:/usr/bin:/bin"), "");
        if (result.exit() != 0) {
            throw new IOException("no network namespaces: " + result.all().strip());
        }
    }

    @Override
    public void close() throws IOException {
        for (DelayLine line : delayed.values()) {
            line.close();
        }
        sh(SWEEP + "sweep \"$1\"", name);
    }
}
