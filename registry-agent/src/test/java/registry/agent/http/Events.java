package registry.agent.http;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A client's end of a stream of server-sent events, on a connection of its own. */
final class Events implements AutoCloseable {
    /** One event; {@code id} is empty when it has none, a comment has the name ":". */
    record Event(String name, String id, String data) {}

    final Wire wire;
    final Wire.Response head;
    private final StringBuilder unread = new StringBuilder();

    private Events(Wire wire) throws IOException {
        this.wire = wire;
        head = wire.head();
    }

    static Events of(TestApi api, String target, String... headers) throws IOException {
        var all = new String[headers.length + 1];
        all[0] = "Accept: text/event-stream";
        System.arraycopy(headers, 0, all, 1, headers.length);
        Wire wire = api.wire();
        wire.request("GET", target, null, all);
        return new Events(wire);
    }

    /** The next event that is neither a comment nor empty; null at the end of a complete answer. */
    Event next() throws IOException {
        while (true) {
            Event event = block();
            if (event == null || !event.name().isEmpty() && !event.name().equals(":")) {
                return event;
            }
        }
    }

    /** What stands before the next empty line. */
    Event block() throws IOException {
        int end = unread.indexOf("\n\n");
        while (end < 0) {
            byte[] chunk = wire.chunk();
            if (chunk.length == 0) {
                return null;
            }
            unread.append(new String(chunk, StandardCharsets.UTF_8));
            end = unread.indexOf("\n\n");
        }
        String text = unread.substring(0, end);
        unread.delete(0, end + 2);
        String name = "";
        String id = "";
        String data = "";
        for (String line : text.split("\n")) {
            int colon = line.indexOf(':');
            String value = line.substring(colon + 1).strip();
            switch (line.substring(0, colon)) {
                case "" -> name = ":";
                case "event" -> name = value;
                case "id" -> id = value;
                case "data" -> data = value;
                default -> {
                    // "retry" is for browsers.
                }
            }
        }
        return new Event(name, id, data);
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
