package registry.server.state;

import org.jspecify.annotations.Nullable;
import registry.api.json.Json;

/**
 * A value in a table with its JSON, which is made at the first read and kept for all later ones: an
 * answer of many rows is then only copied together.
 */
public final class Row<T> {
    private final T value;

    // Written by any thread without a lock: all of them make the same bytes.
    private byte @Nullable [] json;

    public Row(T value) {
        this.value = value;
    }

    public T value() {
        return value;
    }

    /** Compact JSON; not to be changed. */
    public byte[] json() {
        byte[] made = json;
        if (made == null) {
            made = Json.write(value);
            json = made;
        }
        return made;
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
