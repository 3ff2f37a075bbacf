package registry.haproxy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The runtime API over its UNIX socket, in prompt mode: only there has every reply a clear end.
 * Each step has a deadline, so a frozen HAProxy is an error and not a wait. Source: haproxy 2.6
 * management guide, 9.3
 */
final class UnixRuntimeApi implements RuntimeApi {
    private static final int MAX_REPLY = 64 << 20;

    private final Path socket;
    private final Duration timeout;

    UnixRuntimeApi(Path socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    @Override
    public Session connect() throws IOException {
        var session = new PromptSession(new Connection(socket, timeout));
        try {
            session.send("prompt");
            return session;
        } catch (IOException e) {
            session.close();
            throw e;
        }
    }

    @Override
    public String ask(String command) throws IOException {
        try (var connection = new Connection(socket, timeout)) {
            connection.write(command);
            // The master hangs up only after its client.
            connection.channel.shutdownOutput();
            connection.read(false);
            return connection.reply();
        }
    }

    private record PromptSession(Connection connection) implements Session {
        @Override
        public String send(String command) throws IOException {
            connection.write(command);
            if (!connection.read(true)) {
                throw new IOException(
                        "HAProxy closed the connection during " + Printable.quoted(command));
            }
            return connection.reply();
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    private static final class Connection implements AutoCloseable {
        private static final String PROMPT = "> ";

        private final SocketChannel channel;
        private final Selector selector;
        private final long timeoutNanos;
        private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private boolean prompted;
        private long deadline;

        Connection(Path socket, Duration timeout) throws IOException {
            timeoutNanos = timeout.toNanos();
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            selector = Selector.open();
            try {
                channel.configureBlocking(false);
                channel.register(selector, 0);
                deadline = System.nanoTime() + timeoutNanos;
                // A frozen HAProxy accepts nobody, and its queue is short.
                if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
                    do {
                        await(SelectionKey.OP_CONNECT);
                    } while (!channel.finishConnect());
                }
            } catch (IOException e) {
                close();
                throw e;
            }
        }

        /** The deadline that begins here holds for the reply too. */
        void write(String command) throws IOException {
            // A line end or a semicolon begins another command: nothing that holds one is a command
            // of ours.
            if (command.chars().anyMatch(c -> c < ' ' || c > 126 || c == ';')) {
                throw new IllegalArgumentException(
                        "not a single command: " + Printable.quoted(command));
            }
            deadline = System.nanoTime() + timeoutNanos;
            var bytes = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                if (channel.write(bytes) == 0) {
                    await(SelectionKey.OP_WRITE);
                }
            }
        }

        /** Reads until HAProxy hangs up, or until its prompt; returns whether it was that. */
        boolean read(boolean untilPrompt) throws IOException {
            received.reset();
            var last = new byte[3];
            while (true) {
                buffer.clear();
                int count = channel.read(buffer);
                if (count < 0) {
                    prompted = false;
                    return false;
                }
                if (count == 0) {
                    await(SelectionKey.OP_READ);
                    continue;
                }
                received.write(buffer.array(), 0, count);
                if (received.size() > MAX_REPLY) {
                    throw new IOException("HAProxy's reply is too long");
                }
                if (untilPrompt && endsWithPrompt(last, count)) {
                    prompted = true;
                    return true;
                }
            }
        }

        String reply() {
            String text = received.toString(StandardCharsets.UTF_8);
            return (prompted ? text.substring(0, text.length() - PROMPT.length()) : text).strip();
        }

        /**
         * Keeps the last three bytes over all pieces of a reply in {@code last}; the prompt begins
         * a line of its own.
         */
        private boolean endsWithPrompt(byte[] last, int count) {
            for (int at = Math.max(0, count - last.length); at < count; at++) {
                last[0] = last[1];
                last[1] = last[2];
                last[2] = buffer.get(at);
            }
            return last[0] == '\n' && last[1] == '>' && last[2] == ' ';
        }

        private void await(int operation) throws IOException {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new IOException("HAProxy does not answer on its socket");
            }
            channel.keyFor(selector).interestOps(operation);
            selector.select(Math.max(1, left / 1_000_000));
            selector.selectedKeys().clear();
            if (Thread.currentThread().isInterrupted()) {
                throw new IOException("interrupted");
            }
        }

        @Override
        public void close() {
            try (selector) {
                channel.close();
            } catch (IOException e) {
                // Nothing to be done about a socket that will not close.
            }
        }
    }
}
