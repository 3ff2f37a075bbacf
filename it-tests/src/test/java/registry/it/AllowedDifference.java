package registry.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A difference from Consul that is meant. One line of the allow file: {@code group#number kind:
 * reason}, as in {@code http#34 later: agent cache}; lines that begin with {@code //} are comments.
 */
record AllowedDifference(String id, Kind kind, String reason) {
    private static final Pattern LINE =
            Pattern.compile("(\\w+#\\d+) (go-text|defect|finer|lags|later): (\\S.*)");

    /** The only reasons there are. */
    enum Kind {
        /** A text that comes out of Go's standard library; its fixed prefix stays. */
        GO_TEXT("go-text"),
        /** Consul crashes, drops the connection, works without bound or resets LockIndex. */
        DEFECT("defect"),
        /** An index that rightly moves less than Consul's. */
        FINER("finer"),
        /** A moment later it is equal, and at times it is equal at once. */
        LAGS("lags"),
        /** Not built yet; the reason names the feature. */
        LATER("later");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }

        private static Kind of(String word) {
            for (Kind kind : values()) {
                if (kind.word.equals(word)) {
                    return kind;
                }
            }
            throw new IllegalArgumentException(word);
        }
    }

    /** Entries by id, in the order of the file. */
    static Map<String, AllowedDifference> read(Path file) throws IOException {
        var entries = new LinkedHashMap<String, AllowedDifference>();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            if (line.isBlank() || line.startsWith("//")) {
                continue;
            }
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                throw new IllegalArgumentException(
                        file
                                + ":"
                                + number
                                + ": \""
                                + line
                                + "\" is not \"group#number kind: reason\"");
            }
            var entry =
                    new AllowedDifference(
                            matcher.group(1), Kind.of(matcher.group(2)), matcher.group(3));
            if (entries.put(entry.id(), entry) != null) {
                throw new IllegalArgumentException(
                        file + ":" + number + ": " + entry.id() + " is named twice");
            }
        }
        return entries;
    }
}
