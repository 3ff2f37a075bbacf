package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;
import registry.api.json.Json;

/**
 * Lines of the log for one client. Those that it does not take in time are dropped, and counted in
 * a line in their place: neither the log nor memory waits for it.
 */
final class LogFeed implements Feed {
    private static final int MAX_LINES = 512;
    private static final int MAX_BYTES = 256 << 10;
    private static final byte[] NOTHING = {};
    private static final Answer HEAD = Answer.empty(200).withContentType(Answer.TEXT);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final boolean json;
    private final Runnable soon;
    private final Deque<byte[]> lines = new ArrayDeque<>();
    private @Nullable AutoCloseable tap; // guarded by this, as all below
    private int bytes;
    private long dropped;
    private boolean told;
    private boolean begun;
    private boolean closed;

    /**
     * @param soon has a next piece fetched by another thread: this one only logs
     */
    LogFeed(boolean json, Runnable soon) {
        this.json = json;
        this.soon = soon;
    }

    /**
     * @param opened what the lines come from, to be closed with this
     */
    void tap(AutoCloseable opened) {
        synchronized (this) {
            tap = opened;
            if (!closed) {
                return;
            }
        }
        close();
    }

    /** Called on the thread that logs. */
    void add(String line) {
        synchronized (this) {
            byte[] text = line.getBytes(UTF_8);
            if (closed) {
                return;
            }
            if (lines.size() == MAX_LINES || bytes + text.length > MAX_BYTES) {
                dropped++;
                return;
            }
            lines.add(text);
            bytes += text.length;
            if (told) {
                return;
            }
            told = true;
        }
        soon.run();
    }

    @Override
    public Answer head() {
        return HEAD;
    }

    @Override
    public synchronized @Nullable Piece next() {
        told = false;
        if (lines.isEmpty() && begun) {
            return null;
        }
        // The first piece may be empty: the client is to see that it is heard.
        begun = true;
        var out = new ByteArrayOutputStream(bytes + 100);
        lines.forEach(out::writeBytes);
        if (dropped > 0) {
            out.writeBytes(dropped(dropped));
        }
        lines.clear();
        bytes = 0;
        dropped = 0;
        return new Piece.Bytes(out.toByteArray());
    }

    /** A line as the log's own. */
    private byte[] dropped(long count) {
        Instant now = Instant.now();
        String message = "lines dropped, this client reads too slowly";
        if (!json) {
            String line = "%s [WARN]  agent.monitor: %s: count=%d\n";
            return line.formatted(TIME.format(now), message, count).getBytes(UTF_8);
        }
        var line = new LinkedHashMap<String, Object>();
        line.put("@level", "warn");
        line.put("@message", message);
        line.put("@module", "agent.monitor");
        line.put("@timestamp", now.toString());
        line.put("count", count);
        return (new String(Json.write(line), UTF_8) + "\n").getBytes(UTF_8);
    }

    @Override
    public byte[] heartbeat() {
        return NOTHING;
    }

    @Override
    public void close() {
        AutoCloseable open;
        synchronized (this) {
            closed = true;
            lines.clear();
            open = tap;
            tap = null;
        }
        if (open != null) {
            try {
                open.close();
            } catch (Exception e) {
                throw new IllegalStateException("the log can't be left", e);
            }
        }
    }
}
