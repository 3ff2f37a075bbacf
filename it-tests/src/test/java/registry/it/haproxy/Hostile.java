package registry.it.haproxy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import registry.it.haproxy.Site.Instance;

/**
 * Registrations made to break in, or to break. Those with a bad address or port must be left out
 * and named; those whose names are odd and whose addresses are fine may be served.
 */
record Hostile(Site site, SplittableRandom random) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SMUGGLED =
            "127.0.0.1:80 check\n    server evil 127.0.0.1:81\nlisten pwned\n    bind 127.0.0.1:%d\n#";
    private static final String[] PIECES = {
        "127.0.0.1",
        "::1",
        "\n",
        "\r",
        ";",
        " ",
        "#",
        "\"",
        "'",
        "\\",
        "$",
        "%",
        "server",
        "disabled",
        "listen pwned",
        "bind :%d",
        "\u0000",
        "\u001b",
        "é",
        "\u2028",
        "[",
        "]",
        ":",
        "80",
        "/",
        "unix@",
        "enabled",
        "backend",
        "default",
        "-",
        "{}",
        "&&",
        "|",
        "\t",
        "."
    };

    /**
     * How it ended.
     *
     * @param intruders listeners, proxies, servers and lines of the file that nobody asked for
     * @param unnamed accepted by the registry, left out, and not in {@code status}
     * @param lostBackends good ones that HAProxy does not serve
     */
    record Outcome(
            int refused,
            int accepted,
            List<String> intruders,
            List<String> unnamed,
            int lostBackends,
            double followsMillis,
            int failed) {}

    /** With {@code generated} random ones beside the fixed. */
    Outcome attack(int rate, int generated) {
        int trap = registry.it.Ports.free(1)[0];
        Set<Integer> listening = listening();
        Set<String> proxies = site.haproxy().proxies();
        List<String> mustBeNamed = new ArrayList<>();
        int refused = 0;
        List<Instance> good = site.instances();
        try (var load = new OpenLoop(site.front(), rate)) {
            for (Map<String, Object> service : all(generated, trap)) {
                boolean taken = put("/v1/agent/service/register", service);
                if (!taken) {
                    refused++;
                } else if (!isFine(service)) {
                    mustBeNamed.add((String) service.get("ID"));
                }
            }
            refused += twiceOnTwoNodes(good.getFirst().port());
            Changes changes = new Changes(site);
            double follows = changes.registerUnder(load);
            load.stop();
            List<String> intruders = new ArrayList<>();
            listening().stream()
                    .filter(port -> !listening.contains(port))
                    .forEach(port -> intruders.add("listens on " + port));
            site.haproxy().proxies().stream()
                    .filter(name -> !proxies.contains(name))
                    .forEach(name -> intruders.add("has " + name));
            site.configText()
                    .lines()
                    .filter(line -> line.contains("pwned") || line.contains("evil"))
                    .forEach(line -> intruders.add("writes " + line));
            if (!site.isCompanionAlive()) {
                intruders.add("the companion has ended");
            }
            List<String> unnamed = unnamed(mustBeNamed);
            Set<Integer> serving = site.haproxy().serving(Site.WEB);
            int lost = (int) good.stream().filter(one -> !serving.contains(one.port())).count();
            return new Outcome(
                    refused, mustBeNamed.size(), intruders, unnamed, lost, follows, load.failed());
        }
    }

    /**
     * What {@code status} does not tell of. It is written when a round is over, and the good
     * instance may serve before that.
     */
    private List<String> unnamed(List<String> ids) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (true) {
            String status = site.status().out();
            List<String> unnamed =
                    ids.stream().filter(id -> !status.contains("/" + printable(id))).toList();
            if (unnamed.isEmpty() || System.nanoTime() > deadline) {
                return unnamed;
            }
        }
    }

    private List<Map<String, Object>> all(int generated, int trap) {
        List<Map<String, Object>> all = new ArrayList<>();
        all.add(service("smuggle", SMUGGLED.formatted(trap), 80));
        all.add(service("socket", "127.0.0.1;shutdown frontend web", 80));
        all.add(service("socket-lines", "127.0.0.1\ndisable frontend web", 80));
        all.add(service("quotes", "127.0.0.1\" '#", 80));
        all.add(service("hash", "127.0.0.1#", 80));
        all.add(service("name", "localhost", 80));
        all.add(service("port-zero", "127.0.0.1", 0));
        all.add(service("port-99999", "127.0.0.1", 99_999));
        all.add(service("port-negative", "127.0.0.1", -1));
        all.add(service("any", "0.0.0.0", 80));
        all.add(service("many", "224.0.0.1", 80));
        // Their addresses are fine, so they are instances like others, if dead ones.
        all.add(service("long-" + "x".repeat(70_000), "127.0.0.77", 81));
        all.add(service("control-\u0001\u0007\u001b[2J", "127.0.0.77", 82));
        all.add(service("ünïcødé-\u2028-\uD83D\uDE00", "127.0.0.77", 83));
        all.add(service("srv1", "127.0.0.77", 84));
        all.add(service("default", "127.0.0.77", 85));
        for (int number = 0; number < generated; number++) {
            var text = new StringBuilder();
            for (int pieces = random.nextInt(2, 6); pieces > 0; pieces--) {
                text.append(PIECES[random.nextInt(PIECES.length)].replace("%d", "" + trap));
            }
            int port = random.nextInt(4) == 0 ? random.nextInt(-70_000, 140_000) : 80;
            // Never an address: what is one would be an instance like others.
            all.add(service("gen-" + number + "-" + text, text + "?", port));
        }
        return all;
    }

    private static Map<String, Object> service(String id, String address, int port) {
        Map<String, Object> service = new LinkedHashMap<>();
        service.put("ID", id);
        service.put("Name", "web");
        service.put("Address", address);
        service.put("Port", port);
        service.put("Tags", List.of(address));
        service.put("Meta", Map.of("note", "bind :1"));
        return service;
    }

    private static boolean isFine(Map<String, Object> service) {
        return "127.0.0.77".equals(service.get("Address"));
    }

    /**
     * In the catalogue, where nodes are only names; their address is a good backend's neighbour.
     */
    private int twiceOnTwoNodes(int port) {
        int refused = 0;
        for (int node = 1; node <= 2; node++) {
            String address = "127.0.0.8" + node;
            Map<String, Object> service =
                    Map.of("ID", "twice", "Service", "web", "Address", address, "Port", port);
            Map<String, Object> entry =
                    Map.of("Node", "twice-" + node, "Address", address, "Service", service);
            refused += put("/v1/catalog/register", entry) ? 0 : 1;
        }
        return refused;
    }

    private boolean put(String path, Object body) {
        try {
            var answer = Site.tryPut(site.agent(), path, JSON.writeValueAsString(body));
            if (!answer.isOk()) {
                System.err.println("refused by the registry: " + answer.text().strip());
            }
            return answer.isOk();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As much of an id as a terminal is shown: the first 40 characters, escaped as in Java. */
    private static String printable(String id) {
        var text = new StringBuilder();
        for (char c : id.substring(0, Math.min(40, id.length())).toCharArray()) {
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default ->
                        text.append(
                                c >= ' ' && c < 127
                                        ? Character.toString(c)
                                        : "\\u%04x".formatted((int) c));
            }
        }
        return text.toString();
    }

    /** The TCP ports on which HAProxy's worker listens, by the kernel's own tables. */
    private Set<Integer> listening() {
        try {
            Set<String> sockets = new TreeSet<>();
            Path descriptors = Path.of("/proc/" + site.haproxy().workerPid() + "/fd");
            try (Stream<Path> links = Files.list(descriptors)) {
                links.forEach(link -> target(link).ifPresent(sockets::add));
            }
            Set<Integer> ports = new TreeSet<>();
            for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
                for (String line : Files.readAllLines(Path.of(table))) {
                    String[] fields = line.strip().split("\\s+");
                    if (fields[3].equals("0A") && sockets.contains("socket:[" + fields[9] + "]")) {
                        ports.add(Integer.parseInt(fields[1].replaceAll(".*:", ""), 16));
                    }
                }
            }
            return ports;
        } catch (IOException e) {
            throw new IllegalStateException("cannot see who listens", e);
        }
    }

    private static Optional<String> target(Path link) {
        try {
            return Optional.of(Files.readSymbolicLink(link).toString());
        } catch (IOException closedMeanwhile) {
            return Optional.empty();
        }
    }
}
