package registry.agent.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Paths and parameters as Go's net/http and net/url read and write them. */
final class UrlText {
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private UrlText() {}

    /** A path without its percent-encoding; null when the encoding is broken or is not UTF-8. */
    static @Nullable String decodePath(String raw) {
        if (raw.indexOf('%') < 0) {
            return raw;
        }
        ByteBuffer bytes = unescape(raw, false);
        // Replacing what is not UTF-8 would make two keys one.
        return bytes == null ? null : decode(bytes, CodingErrorAction.REPORT);
    }

    /**
     * A name or value of a parameter, where {@code +} is a blank; null when its encoding is broken.
     */
    static @Nullable String decodeQuery(String raw) {
        if (raw.indexOf('%') < 0 && raw.indexOf('+') < 0) {
            return raw;
        }
        ByteBuffer bytes = unescape(raw, true);
        return bytes == null ? null : decode(bytes, CodingErrorAction.REPLACE);
    }

    private static @Nullable ByteBuffer unescape(String raw, boolean plusIsBlank) {
        byte[] in = raw.getBytes(StandardCharsets.UTF_8);
        var out = ByteBuffer.allocate(in.length);
        for (int at = 0; at < in.length; at++) {
            byte b = in[at];
            if (b != '%') {
                out.put(plusIsBlank && b == '+' ? (byte) ' ' : b);
                continue;
            }
            if (at + 2 >= in.length
                    || !HexFormat.isHexDigit(in[at + 1])
                    || !HexFormat.isHexDigit(in[at + 2])) {
                return null;
            }
            int high = HexFormat.fromHexDigit(in[at + 1]);
            out.put((byte) (high << 4 | HexFormat.fromHexDigit(in[at + 2])));
            at += 2;
        }
        return out.flip();
    }

    private static @Nullable String decode(ByteBuffer bytes, CodingErrorAction onMalformed) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(onMalformed)
                    .decode(bytes)
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /**
     * True for letters, marks, numbers, punctuation, symbols and the ASCII blank: Go's
     * unicode.IsPrint.
     */
    static boolean isPrintable(String text) {
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c < 0x20 || c == 0x7f) {
                return false;
            }
            if (c > 0x7f) {
                return text.codePoints().allMatch(UrlText::isPrintable);
            }
        }
        return true;
    }

    private static boolean isPrintable(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            case Character.SPACE_SEPARATOR -> point == ' ';
            default -> true;
        };
    }

    /** True when {@link #clean} would change nothing. */
    static boolean isClean(String path) {
        if (!path.startsWith("/")) {
            return false;
        }
        for (int slash = 0; slash >= 0; slash = path.indexOf('/', slash + 1)) {
            int next = slash + 1;
            if (next < path.length()) {
                char c = path.charAt(next);
                if (c == '/' || c == '.' && isDots(path, next)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** True when the segment that begins here is {@code .} or {@code ..}. */
    private static boolean isDots(String path, int at) {
        int end = path.indexOf('/', at);
        String segment = path.substring(at, end < 0 ? path.length() : end);
        return segment.equals(".") || segment.equals("..");
    }

    /** The path without empty, {@code .} and {@code ..} segments; a slash at the end stays. */
    static String clean(String path) {
        var kept = new ArrayDeque<String>();
        for (String segment : path.split("/", -1)) {
            if (segment.equals("..")) {
                kept.pollLast();
            } else if (!segment.isEmpty() && !segment.equals(".")) {
                kept.addLast(segment);
            }
        }
        String joined = "/" + String.join("/", kept);
        return path.endsWith("/") && !kept.isEmpty() ? joined + "/" : joined;
    }

    /** A path with all encoded that Go's URL.EscapedPath encodes. */
    static String encodePath(String path) {
        return encode(path, "-_.~$&+,/:;=@", false);
    }

    /** A parameter's name or value, encoded as Go's url.QueryEscape does. */
    static String encodeQuery(String text) {
        return encode(text, "-_.~", true);
    }

    private static String encode(String text, String kept, boolean blankIsPlus) {
        var out = new StringBuilder(text.length() + 8);
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b >= 'a' && b <= 'z'
                    || b >= 'A' && b <= 'Z'
                    || b >= '0' && b <= '9'
                    || b > 0 && kept.indexOf(b) >= 0) {
                out.append((char) b);
            } else if (blankIsPlus && b == ' ') {
                out.append('+');
            } else {
                out.append('%');
                HEX.toHexDigits(out, b);
            }
        }
        return out.toString();
    }
}
