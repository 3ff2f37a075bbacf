package registry.server.state;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * One object for equal values: thousands of rows say {@code passing}, or have the tags of the row
 * before. Remembers a value until another takes its place, so it never grows and may miss some.
 */
public final class Shared {
    private static final int PLACES = 4096;
    private static final AtomicReferenceArray<Object> VALUES = new AtomicReferenceArray<>(PLACES);

    private Shared() {}

    /** {@code value}, or an equal one that is already in use; nobody may ever change either. */
    @SuppressWarnings("unchecked") // of the same class
    public static <T> T of(T value) {
        int hash = value.hashCode();
        int place = (hash ^ hash >>> 16) & PLACES - 1;
        Object known = VALUES.get(place);
        if (known != null && known.getClass() == value.getClass() && known.equals(value)) {
            return (T) known;
        }
        VALUES.set(place, value);
        return value;
    }

    /** Like {@link #of}; null stays null. */
    public static <T> @Nullable T ofNullable(@Nullable T value) {
        return value == null ? null : of(value);
    }

    /** An immutable list without spare room, of shared texts, itself shared. */
    public static List<String> texts(List<String> texts) {
        String[] shared = new String[texts.size()];
        int at = 0;
        for (String text : texts) {
            shared[at++] = of(text);
        }
        return of(List.of(shared));
    }
}
