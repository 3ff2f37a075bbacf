package registry.server.state;

import java.util.Comparator;
import java.util.Locale;

/**
 * Forms of keys: parts joined so that no two lists of parts give the same key, and the orders of
 * keys.
 */
public final class Keys {
    /** Ends a part of a key and the name in a path; names hold it only escaped. */
    public static final char END = '\0';

    /**
     * The order of the bytes of UTF-8, which differs from {@link String#compareTo} beyond the BMP.
     */
    public static final Comparator<String> BYTES = Keys::compareBytes;

    private Keys() {}

    /** The case-insensitive form of a name. */
    public static String fold(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /** Joins parts; sorts by the first part, then the second. */
    public static String join(String first, String second) {
        return escape(first) + END + escape(second);
    }

    private static String escape(String part) {
        if (part.indexOf(END) < 0 && part.indexOf('\1') < 0) {
            return part;
        }
        return part.replace("\1", "\1\2").replace("\0", "\1\1");
    }

    private static int compareBytes(String a, String b) {
        int shorter = Math.min(a.length(), b.length());
        for (int i = 0; i < shorter; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                return Character.isSurrogate(x) == Character.isSurrogate(y)
                        ? x - y
                        : Character.isSurrogate(x) ? 1 : -1;
            }
        }
        return a.length() - b.length();
    }
}
