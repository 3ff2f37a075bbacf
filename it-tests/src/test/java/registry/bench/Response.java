package registry.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds the end of HTTP/1.1 answers, one after another, without keeping their bodies: by
 * Content-Length or chunks.
 */
final class Response {
    private static final int MAX_HEAD = 16 * 1024;

    private enum Part {
        HEAD,
        BODY,
        CHUNK_SIZE,
        CHUNK,
        TRAILER
    }

    private Part part = Part.HEAD;
    private byte[] line = new byte[512];
    private int length;
    private long remaining;
    private int status;
    private long index;
    private String head = "";

    /** Takes bytes as they came; true when one answer has ended with them. */
    boolean feed(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            boolean ended =
                    switch (part) {
                        case HEAD -> readHead(bytes);
                        case BODY -> skip(bytes);
                        case CHUNK_SIZE -> readChunkSize(bytes);
                        case CHUNK -> {
                            if (skip(bytes)) {
                                part = Part.CHUNK_SIZE;
                            }
                            yield false;
                        }
                        case TRAILER -> readTrailer(bytes);
                    };
            if (ended) {
                part = Part.HEAD;
                length = 0;
                return true;
            }
        }
        return false;
    }

    int status() {
        return status;
    }

    /** X-Consul-Index, 0 if there was none. */
    long index() {
        return index;
    }

    private boolean readHead(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            append(bytes.get());
            if (length >= 4 && endsWith("\r\n\r\n")) {
                parseHead();
                length = 0;
                return part == Part.BODY && remaining == 0;
            }
        }
        return false;
    }

    private void parseHead() {
        head = new String(line, 0, length, StandardCharsets.ISO_8859_1);
        status = Integer.parseInt(head, 9, 12, 10);
        index = number("\r\nx-consul-index:");
        remaining = number("\r\ncontent-length:");
        boolean chunked = find("\r\ntransfer-encoding:") >= 0;
        part = chunked ? Part.CHUNK_SIZE : Part.BODY;
    }

    private long number(String name) {
        int at = find(name);
        if (at < 0) {
            return 0;
        }
        int from = at + name.length();
        return Long.parseUnsignedLong(head.substring(from, head.indexOf('\r', from)).trim());
    }

    private int find(String name) {
        for (int at = head.indexOf("\r\n"); at >= 0; at = head.indexOf("\r\n", at + 2)) {
            if (head.regionMatches(true, at, name, 0, name.length())) {
                return at;
            }
        }
        return -1;
    }

    private boolean skip(ByteBuffer bytes) {
        int count = (int) Math.min(remaining, bytes.remaining());
        bytes.position(bytes.position() + count);
        remaining -= count;
        return remaining == 0;
    }

    private boolean readChunkSize(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            append(bytes.get());
            if (endsWith("\r\n")) {
                String size =
                        new String(line, 0, length - 2, StandardCharsets.ISO_8859_1).split(";")[0];
                length = 0;
                remaining = Long.parseLong(size.trim(), 16) + 2; // with the line end behind it
                part = remaining == 2 ? Part.TRAILER : Part.CHUNK;
                return false;
            }
        }
        return false;
    }

    private boolean readTrailer(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            append(bytes.get());
            if (endsWith("\r\n")) {
                return true;
            }
        }
        return false;
    }

    private void append(byte b) {
        if (length == MAX_HEAD) {
            throw new IllegalStateException("an endless head");
        }
        if (length == line.length) {
            line = Arrays.copyOf(line, length * 2);
        }
        line[length++] = b;
    }

    private boolean endsWith(String end) {
        for (int i = 0; i < end.length(); i++) {
            int at = length - end.length() + i;
            if (at < 0 || line[at] != end.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return head.strip();
    }
}
