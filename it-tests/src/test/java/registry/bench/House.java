package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import registry.it.Ports;

/** Starts agents from the packaged launcher, and floors in the same JVM flags. */
final class House {
    private static final long POLL_NANOS = 5_000_000;
    private static final long START_NANOS = 60_000_000_000L;
    private static final Set<String> NOT_ENDS_OF_A_FLOOR =
            Set.of("transfer-encoding", "content-length", "connection", "keep-alive");

    private final Path home;
    private final Path work;
    private int started;

    /** {@code home}: the unpacked distribution; {@code work}: where data and logs may go. */
    House(Path home, Path work) {
        this.home = home;
        this.work = work;
    }

    /** The same with another distribution. */
    House of(Path otherHome) {
        return new House(otherHome, work.resolve("other"));
    }

    Path launcher() {
        return home.resolve("bin/registry");
    }

    /** Executes a single server on an empty data directory; see {@link #awaitFirstWrite}. */
    Subject executeAgent() {
        int[] ports = Ports.free(5);
        Path dir = work.resolve("agent-" + ++started);
        return Subject.start(
                List.of(
                        launcher().toString(),
                        "agent",
                        "-server",
                        "-bootstrap-expect",
                        "1",
                        "-node=bench",
                        "-bind",
                        "127.0.0.1",
                        "-data-dir",
                        dir.resolve("data").toString(),
                        "-config-file",
                        config(dir, ports).toString()),
                ports[0],
                dir.resolve("log"));
    }

    /**
     * One of several agents on the loopback.
     *
     * @param servers how many there are to be; 0 for an agent that is none
     * @param ports HTTP, DNS, server, gossip, WAN gossip
     * @param join where another listens for gossip; empty for the first
     */
    record Member(String name, int servers, int[] ports, String join) {
        String gossip() {
            return "127.0.0.1:" + ports[3];
        }
    }

    Member member(String name, int servers, String join) {
        return new Member(name, servers, Ports.free(5), join);
    }

    /** Executes one of several agents on an empty data directory. */
    Subject execute(Member member) {
        Path dir = work.resolve("agent-" + ++started);
        List<String> command =
                new ArrayList<>(
                        List.of(
                                launcher().toString(),
                                "agent",
                                "-node=" + member.name,
                                "-bind",
                                "127.0.0.1",
                                "-data-dir",
                                dir.resolve("data").toString(),
                                "-config-file",
                                config(dir, member.ports).toString()));
        if (member.servers > 0) {
            command.addAll(
                    List.of("-server", "-bootstrap-expect", Integer.toString(member.servers)));
        }
        if (!member.join.isEmpty()) {
            command.add("-retry-join=" + member.join);
        }
        return Subject.start(command, member.ports[0], dir.resolve("log"));
    }

    /** Servers of one cluster that has committed its first write; the leader comes first. */
    List<Subject> servers(int count) {
        List<Subject> servers = new ArrayList<>();
        List<Member> members = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            String join = members.isEmpty() ? "" : members.getFirst().gossip();
            members.add(member("s" + i, count, join));
            servers.add(execute(members.getLast()));
        }
        servers.forEach(this::awaitFirstWrite);
        String leader =
                new String(
                        new Api(servers.getFirst().port()).get("/v1/status/leader").body(),
                        StandardCharsets.UTF_8);
        for (int i = 0; i < count; i++) {
            if (leader.contains(":" + members.get(i).ports[2] + "\"")) {
                servers.addFirst(servers.remove(i));
            }
        }
        return servers;
    }

    private static Path config(Path dir, int[] ports) {
        Path config = dir.resolve("registry.json");
        try {
            Files.createDirectories(dir);
            Files.writeString(
                    config,
                    """
                    {"ports": {"http": %d, "dns": %d, "server": %d, "serf_lan": %d, "serf_wan": %d},
                     "limits": {"http_max_conns_per_client": 100000}}
                    """
                            .formatted(ports[0], ports[1], ports[2], ports[3], ports[4]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return config;
    }

    /** An agent that has committed its first write. */
    Subject agent() {
        Subject agent = executeAgent();
        awaitFirstWrite(agent);
        return agent;
    }

    /** Tries a KV PUT every 5 ms until one has succeeded. */
    void awaitFirstWrite(Subject agent) {
        byte[] put = Api.request("PUT", "/v1/kv/bench/first", "x");
        long end = System.nanoTime() + START_NANOS;
        while (!isAnswered(agent.port(), put)) {
            if (!agent.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException(
                        "the agent does not start, see the logs in " + work);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** A bare Jetty in the JVM flags of {@code agent}, but for its start-up cache. */
    Subject floor(Subject agent) {
        Subject floor = executeFloor(flagsOf(agent));
        awaitFloor(floor);
        return floor;
    }

    static List<String> flagsOf(Subject agent) {
        List<String> command = agent.commandLine();
        return command.subList(0, command.indexOf("-cp")).stream()
                .filter(flag -> !flag.startsWith("-XX:AOTCache"))
                .toList();
    }

    Subject executeFloor(List<String> flags) {
        int port = Ports.free(1)[0];
        List<String> command = new ArrayList<>(flags);
        command.addAll(
                List.of(
                        "-cp",
                        System.getProperty("java.class.path"),
                        FloorServer.class.getName(),
                        Integer.toString(port),
                        work.resolve("floor.writes").toString()));
        return Subject.start(command, port, work.resolve("floor-" + ++started + ".log"));
    }

    void awaitFloor(Subject floor) {
        byte[] teach = Api.request("POST", "/v1/kv/bench/first", "A: b\n\ntrue");
        long end = System.nanoTime() + START_NANOS;
        while (!isAnswered(floor.port(), teach)) {
            if (!floor.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException(
                        "the floor does not start, see the logs in " + work);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Teaches {@code floor} to answer {@code path} with headers and body of {@code answer}. */
    static void teach(Subject floor, String path, HttpResponse<byte[]> answer) {
        var text = new StringBuilder();
        answer.headers()
                .map()
                .forEach((name, values) -> {
                    if (!NOT_ENDS_OF_A_FLOOR.contains(name) && !name.startsWith(":")) {
                        values.forEach(
                                value -> text.append(name).append(": ").append(value).append('\n'));
                    }
                });
        text.append('\n').append(new String(answer.body(), StandardCharsets.UTF_8));
        new Api(floor.port()).post(path, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isAnswered(int port, byte[] request) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request);
            byte[] start = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
            return new String(start, StandardCharsets.ISO_8859_1).equals("HTTP/1.1 200");
        } catch (IOException e) {
            return false;
        }
    }
}
