package registry.haproxy;

/** Foreign text made fit for a log line or a terminal. */
final class Printable {
    private static final int MAX = 80;

    private Printable() {}

    /**
     * {@code text} with everything but printable ASCII escaped as in Java, cut after 80 characters.
     */
    static String of(String text) {
        var out = new StringBuilder();
        for (int at = 0; at < text.length() && at < MAX; at++) {
            char c = text.charAt(at);
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c >= ' ' && c < 127) {
                        out.append(c);
                    } else {
                        out.append(String.format("\\u%04x", (int) c));
                    }
                }
            }
        }
        if (text.length() > MAX) {
            out.append("… (").append(text.length()).append(" characters)");
        }
        return out.toString();
    }

    static String quoted(String text) {
        return '"' + of(text) + '"';
    }
}
