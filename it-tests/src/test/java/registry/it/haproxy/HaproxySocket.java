package registry.it.haproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** What HAProxy says of itself, asked beside the companion. An absent HAProxy says nothing. */
record HaproxySocket(Path worker, Path master) {
    private static final int RUNNING = 2;
    // FMAINT, RMAINT and the drains; CMAINT stays for ever on a server that was configured
    // disabled.
    private static final int NOT_SERVING = 0x01 | 0x20 | 0x08 | 0x10;

    /** One line of {@code show servers state}. */
    record Server(String name, int port, int state, int admin) {
        /** Whether new requests may go to it. */
        boolean isServing() {
            return state == RUNNING && (admin & NOT_SERVING) == 0;
        }
    }

    String ask(String command) {
        return ask(worker, command);
    }

    private static String ask(Path path, String command) {
        try (var socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.connect(UnixDomainSocketAddress.of(path));
            socket.write(ByteBuffer.wrap((command + "\n").getBytes(UTF_8)));
            socket.shutdownOutput();
            return new String(Channels.newInputStream(socket).readAllBytes(), UTF_8);
        } catch (IOException notThere) {
            return "";
        }
    }

    List<Server> servers(String backend) {
        List<Server> servers = new ArrayList<>();
        List<String> columns = List.of();
        for (String line : ask("show servers state " + backend).split("\n")) {
            if (line.startsWith("# ")) {
                columns = Arrays.asList(line.substring(2).split(" "));
            } else if (!columns.isEmpty() && !line.isBlank()) {
                String[] fields = line.split(" ");
                servers.add(
                        new Server(
                                fields[columns.indexOf("srv_name")],
                                Integer.parseInt(fields[columns.indexOf("srv_port")]),
                                Integer.parseInt(fields[columns.indexOf("srv_op_state")]),
                                Integer.parseInt(fields[columns.indexOf("srv_admin_state")])));
            }
        }
        return servers;
    }

    /** The ports of the servers to which new requests may go. */
    Set<Integer> serving(String backend) {
        Set<Integer> ports = new TreeSet<>();
        servers(backend).stream().filter(Server::isServing).forEach(each -> ports.add(each.port()));
        return ports;
    }

    /** Names of all frontends and backends, and those of servers as {@code backend/server}. */
    Set<String> proxies() {
        Set<String> names = new TreeSet<>();
        for (String line : ask("show stat").split("\n")) {
            String[] fields = line.split(",", -1);
            if (!line.startsWith("#") && fields.length > 2) {
                names.add(fields[0] + "/" + fields[1]);
            }
        }
        return names;
    }

    /** Connections that a server has at this moment. */
    int connections(String backend, int port) {
        String name =
                servers(backend).stream()
                        .filter(server -> server.port() == port)
                        .map(Server::name)
                        .findFirst()
                        .orElse("");
        for (String line : ask("show stat").split("\n")) {
            String[] fields = line.split(",", -1);
            if (fields.length > 4 && fields[0].equals(backend) && fields[1].equals(name)) {
                return Integer.parseInt(fields[4]);
            }
        }
        return 0;
    }

    /** The structure that the worker has loaded. */
    String version() {
        return ask("get var proc.cfgver").replaceAll("(?s).*<(\\d+)>.*", "$1");
    }

    long workerPid() {
        for (String line : ask("show info").split("\n")) {
            if (line.startsWith("Pid: ")) {
                return Long.parseLong(line.substring(5).strip());
            }
        }
        return -1;
    }

    /**
     * How often the master has reloaded since it was started. In the middle of a reload it does not
     * answer: that is waited for.
     */
    int reloads() {
        var seen = new AtomicInteger();
        Site.await(() -> {
            seen.set(reloadsNow());
            return seen.get() >= 0;
        });
        return seen.get();
    }

    private int reloadsNow() {
        for (String line : ask(master, "show proc").split("\n")) {
            String[] fields = line.strip().split("\\s+");
            if (fields.length > 2 && fields[1].equals("master")) {
                return Integer.parseInt(fields[2]);
            }
        }
        return -1;
    }
}
