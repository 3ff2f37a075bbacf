package registry.agent.check;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks a server's {@code grpc.health.v1.Health}: SERVING passes, all else is critical. One call on
 * a connection of its own, in the few HTTP/2 frames that takes. Source: RFC 9113, RFC 7541,
 * grpc.io/docs/guides/health-checking
 */
final class GrpcCheck implements Check {
    private static final byte[] PREFACE =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int ACK = 1;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int PADDED = 8;

    /** Larger frames than the default were not offered to the server. */
    private static final int MAX_FRAME = 16 << 10;

    private static final int SERVING = 1;

    private final String target;
    private final String address;
    private final String service;
    private final boolean tls;
    private final boolean verify;
    private final Duration timeout;

    /**
     * @param target {@code host:port} or {@code host:port/service}
     */
    GrpcCheck(String target, boolean tls, boolean tlsSkipVerify, Duration timeout) {
        int slash = target.indexOf('/');
        this.target = target;
        this.address = slash < 0 ? target : target.substring(0, slash);
        this.service = slash < 0 ? "" : target.substring(slash + 1);
        this.tls = tls;
        this.verify = !tlsSkipVerify;
        this.timeout = timeout;
    }

    @Override
    public CheckResult run() throws InterruptedException {
        try {
            int status = ask();
            return status == SERVING
                    ? CheckResult.passing("gRPC check " + target + ": success")
                    : CheckResult.critical("gRPC " + target + " serving status: " + name(status));
        } catch (IOException e) {
            String reason =
                    e instanceof SocketTimeoutException
                            ? "context deadline exceeded"
                            : e.getMessage();
            return CheckResult.critical("gRPC check " + target + " failed: " + reason);
        }
    }

    private static String name(int status) {
        return switch (status) {
            case 2 -> "NOT_SERVING";
            case 3 -> "SERVICE_UNKNOWN";
            default -> "UNKNOWN";
        };
    }

    private int ask() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        HostPort to = HostPort.parse(address, -1);
        try (Socket plain = Dial.connect(to.host(), to.port(), timeout);
                Socket socket = tls ? Tls.wrap(plain, to, verify, timeout, "h2") : plain) {
            OutputStream out = socket.getOutputStream();
            out.write(question());
            var in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 2048));
            return answer(socket, in, out, deadline);
        } catch (EOFException e) {
            throw new IOException("the server closed the connection without an answer", e);
        }
    }

    private byte[] question() {
        var headers = new ByteArrayOutputStream();
        headers.write(0x83); // :method POST, from the static table
        headers.write(tls ? 0x87 : 0x86); // :scheme
        field(headers, ":path", "/grpc.health.v1.Health/Check");
        field(headers, ":authority", address);
        field(headers, "content-type", "application/grpc");
        field(headers, "te", "trailers");
        field(headers, "user-agent", "Consul Health Check");

        byte[] name = service.getBytes(StandardCharsets.UTF_8);
        var request = new ByteArrayOutputStream();
        if (name.length > 0) {
            request.write(0x0A); // field 1: service
            varint(request, name.length);
            request.writeBytes(name);
        }
        ByteBuffer message = ByteBuffer.allocate(5 + request.size());
        message.put((byte) 0).putInt(request.size()).put(request.toByteArray());

        var all = new ByteArrayOutputStream();
        all.writeBytes(PREFACE);
        frame(all, SETTINGS, 0, 0, new byte[0]);
        frame(all, HEADERS, END_HEADERS, 1, headers.toByteArray());
        frame(all, DATA, END_STREAM, 1, message.array());
        return all.toByteArray();
    }

    /** A header that enters no table and is not Huffman coded, the form that needs no state. */
    private static void field(ByteArrayOutputStream out, String name, String value) {
        out.write(0x00);
        text(out, name);
        text(out, value);
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length < 127) {
            out.write(bytes.length);
        } else {
            out.write(127);
            varint(out, bytes.length - 127);
        }
        out.writeBytes(bytes);
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        int left = value;
        while (left >= 0x80) {
            out.write(left & 0x7F | 0x80);
            left >>>= 7;
        }
        out.write(left);
    }

    private static void frame(
            ByteArrayOutputStream out, int type, int flags, int stream, byte[] payload) {
        ByteBuffer head = ByteBuffer.allocate(9);
        head.put((byte) (payload.length >> 16)).putShort((short) payload.length);
        head.put((byte) type).put((byte) flags).putInt(stream);
        out.writeBytes(head.array());
        out.writeBytes(payload);
    }

    /** Reads frames until the status is there, or the call has ended without one. */
    private static int answer(Socket socket, DataInputStream in, OutputStream out, long deadline)
            throws IOException {
        var message = new ByteArrayOutputStream();
        while (true) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new SocketTimeoutException();
            }
            socket.setSoTimeout((int) Math.min(left, Integer.MAX_VALUE));
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt() & Integer.MAX_VALUE;
            if (length > MAX_FRAME) {
                throw new IOException("the answer is not HTTP/2");
            }
            byte[] payload = new byte[length];
            in.readFully(payload);
            switch (type) {
                case DATA -> append(message, payload, flags);
                case SETTINGS -> acknowledge(out, SETTINGS, flags, new byte[0]);
                case PING -> acknowledge(out, PING, flags, payload);
                case RST_STREAM, GOAWAY -> throw new IOException("the server refused the call");
                default -> {}
            }
            if (message.size() >= 5 && message.size() >= 5 + messageLength(message)) {
                return status(message.toByteArray());
            }
            boolean ended =
                    stream == 1 && (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
            if (ended) {
                throw new IOException(
                        "the server does not know this service, or has no health service");
            }
        }
    }

    private static void append(ByteArrayOutputStream message, byte[] payload, int flags)
            throws IOException {
        int skip = (flags & PADDED) != 0 && payload.length > 0 ? 1 : 0;
        int padding = skip == 1 ? payload[0] & 0xFF : 0;
        if (skip + padding > payload.length || message.size() + payload.length > MAX_FRAME) {
            throw new IOException("the answer is malformed");
        }
        message.write(payload, skip, payload.length - skip - padding);
    }

    private static void acknowledge(OutputStream out, int type, int flags, byte[] payload)
            throws IOException {
        if ((flags & ACK) == 0) {
            var ack = new ByteArrayOutputStream();
            frame(ack, type, ACK, 0, payload);
            out.write(ack.toByteArray());
        }
    }

    private static long messageLength(ByteArrayOutputStream message) {
        return ByteBuffer.wrap(message.toByteArray()).getInt(1) & 0xFFFFFFFFL;
    }

    /** Field 1 of the response; absent is 0, UNKNOWN. */
    private static int status(byte[] message) {
        return message.length >= 7 && message[5] == 0x08 ? message[6] : 0;
    }
}
