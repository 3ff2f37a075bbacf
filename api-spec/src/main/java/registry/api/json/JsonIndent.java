package registry.api.json;

import java.io.ByteArrayOutputStream;

/**
 * Go's json.Indent with four blanks: {@code "Key": value}, empty lists and objects stay on their
 * line.
 */
final class JsonIndent {
    private static final byte[] BLANKS =
            "    ".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private final byte[] compact;
    private final ByteArrayOutputStream out;
    private int depth;

    private JsonIndent(byte[] compact) {
        this.compact = compact;
        this.out = new ByteArrayOutputStream(compact.length * 2 + 1);
    }

    /** {@code compact} must be valid JSON without white space between its tokens. */
    static byte[] indent(byte[] compact) {
        return new JsonIndent(compact).run();
    }

    private byte[] run() {
        for (int at = 0; at < compact.length; at++) {
            byte b = compact[at];
            switch (b) {
                case '"' -> at = string(at);
                case '{', '[' -> {
                    out.write(b);
                    if (compact[at + 1] == b + 2) {
                        out.write(compact[++at]);
                    } else {
                        depth++;
                        line();
                    }
                }
                case '}', ']' -> {
                    depth--;
                    line();
                    out.write(b);
                }
                case ',' -> {
                    out.write(b);
                    line();
                }
                case ':' -> {
                    out.write(b);
                    out.write(' ');
                }
                default -> out.write(b);
            }
        }
        out.write('\n');
        return out.toByteArray();
    }

    /** Copies a string; returns the place of its closing quote. */
    private int string(int start) {
        int at = start + 1;
        while (compact[at] != '"') {
            at += compact[at] == '\\' ? 2 : 1;
        }
        out.write(compact, start, at - start + 1);
        return at;
    }

    private void line() {
        out.write('\n');
        for (int i = 0; i < depth; i++) {
            out.write(BLANKS, 0, BLANKS.length);
        }
    }
}
