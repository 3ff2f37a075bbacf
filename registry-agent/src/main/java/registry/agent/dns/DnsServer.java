package registry.agent.dns;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.config.AgentConfig;
import registry.server.rpc.Servers;

/**
 * The DNS interface: UDP and TCP on all client addresses. One thread per address receives datagrams
 * and answers at once what it can; what has to wait for others goes to virtual threads, of which
 * there are only so many.
 */
public final class DnsServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DnsServer.class);
    private static final int MOST_WAITING = 1024;
    private static final int MOST_CONNECTIONS = 256;
    private static final int IDLE_MILLIS = 10_000;
    private static final int BACKLOG = 128;
    private static final int LARGEST = 65_535;
    private static final int BUFFER = 1 << 20;

    private final AgentConfig config;
    private final Responder responder;
    private final ExecutorService virtualThreads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore waiting = new Semaphore(MOST_WAITING);
    private final Semaphore connections = new Semaphore(MOST_CONNECTIONS);
    private final List<AutoCloseable> listeners = new ArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    public DnsServer(AgentConfig config, Servers servers) {
        this.config = config;
        this.responder = new Responder(config, servers);
    }

    /**
     * Listens, unless the port is -1.
     *
     * @throws IOException with the address that is taken or can't be had
     */
    public void start() throws IOException {
        if (config.ports().dns() < 0) {
            return;
        }
        for (String address : config.clientAddrs()) {
            var at = new InetSocketAddress(InetAddress.ofLiteral(address), config.ports().dns());
            listen(at);
        }
    }

    private void listen(InetSocketAddress at) throws IOException {
        DatagramChannel datagrams =
                DatagramChannel.open(
                        at.getAddress().getAddress().length == 4
                                ? StandardProtocolFamily.INET
                                : StandardProtocolFamily.INET6);
        listeners.add(datagrams);
        var streams = new ServerSocket();
        listeners.add(streams);
        try {
            datagrams.setOption(StandardSocketOptions.SO_RCVBUF, BUFFER);
            datagrams.bind(at);
        } catch (IOException e) {
            throw fault("udp", at, e);
        }
        try {
            streams.setReuseAddress(true);
            streams.bind(at, BACKLOG);
        } catch (IOException e) {
            throw fault("tcp", at, e);
        }
        Thread.ofPlatform().daemon().name("dns").start(() -> receive(datagrams));
        virtualThreads.execute(() -> accept(streams));
    }

    private static IOException fault(String protocol, InetSocketAddress at, IOException e) {
        return new IOException(
                "dns: listen %s %s:%d: %s"
                        .formatted(
                                protocol,
                                at.getAddress().getHostAddress(),
                                at.getPort(),
                                e.getMessage()),
                e);
    }

    // UDP

    private void receive(DatagramChannel channel) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(LARGEST);
        while (!closed) {
            try {
                buffer.clear();
                SocketAddress from = channel.receive(buffer);
                var packet = new byte[buffer.flip().remaining()];
                buffer.get(packet);
                handle(channel, from, packet);
            } catch (IOException e) {
                if (!closed) {
                    // Such as an ICMP answer to an earlier datagram.
                    log.debug("dns: udp: {}", e.toString());
                }
            }
        }
    }

    private void handle(DatagramChannel channel, SocketAddress from, byte[] packet)
            throws IOException {
        try {
            send(channel, from, responder.answer(packet, false, asker(from, Patience.NONE)));
        } catch (Patience.NotAtOnce e) {
            if (waiting.tryAcquire()) {
                virtualThreads.execute(() -> handleWithPatience(channel, from, packet));
            }
        } catch (RuntimeException e) {
            log.error("dns: answering failed", e);
            send(channel, from, responder.broken(packet));
        }
    }

    private void handleWithPatience(DatagramChannel channel, SocketAddress from, byte[] packet) {
        try {
            send(channel, from, responder.answer(packet, false, asker(from, Patience.SOME)));
        } catch (IOException e) {
            log.debug("dns: udp: {}", e.toString());
        } catch (RuntimeException e) {
            log.error("dns: answering failed", e);
        } finally {
            waiting.release();
        }
    }

    private static void send(DatagramChannel channel, SocketAddress to, byte @Nullable [] answer)
            throws IOException {
        if (answer != null) {
            channel.send(ByteBuffer.wrap(answer), to);
        }
    }

    private static Asker asker(SocketAddress from, Patience patience) {
        String address =
                from instanceof InetSocketAddress ip ? ip.getAddress().getHostAddress() : "";
        return new Asker(address, patience);
    }

    // TCP

    private void accept(ServerSocket streams) {
        while (!closed) {
            try {
                Socket socket = streams.accept();
                if (!connections.tryAcquire()) {
                    socket.close();
                    continue;
                }
                open.add(socket);
                virtualThreads.execute(() -> converse(socket));
            } catch (IOException e) {
                if (!closed) {
                    log.warn("dns: tcp: {}", e.toString());
                    Thread.onSpinWait();
                }
            }
        }
    }

    private void converse(Socket socket) {
        try (socket) {
            socket.setSoTimeout(IDLE_MILLIS);
            socket.setTcpNoDelay(true);
            var in = new DataInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            Asker asker = asker(socket.getRemoteSocketAddress(), Patience.SOME);
            while (!closed) {
                var packet = new byte[in.readUnsignedShort()];
                in.readFully(packet);
                byte[] answer = responder.answer(packet, true, asker);
                if (answer == null) {
                    return;
                }
                var framed = new byte[answer.length + 2];
                framed[0] = (byte) (answer.length >> 8);
                framed[1] = (byte) answer.length;
                System.arraycopy(answer, 0, framed, 2, answer.length);
                out.write(framed);
            }
        } catch (EOFException e) {
            // The client has no more questions.
        } catch (IOException e) {
            log.debug("dns: tcp: {}", e.toString());
        } catch (RuntimeException e) {
            log.error("dns: answering failed", e);
        } finally {
            open.remove(socket);
            connections.release();
        }
    }

    @Override
    public void close() throws Exception {
        closed = true;
        for (AutoCloseable listener : listeners) {
            listener.close();
        }
        for (Socket socket : open) {
            socket.close();
        }
        virtualThreads.shutdownNow();
    }
}
