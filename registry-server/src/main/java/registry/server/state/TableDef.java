package registry.server.state;

import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a table is: how its rows are keyed, ordered, grouped and written. Compared by identity;
 * features keep theirs in constants.
 */
public final class TableDef<R> {
    /**
     * A secondary index: rows by what {@code key} says of them; those it says null of are in no
     * group.
     */
    public record Grouping<R>(Function<R, @Nullable String> key) {
        @Nullable String of(R row) {
            return key.apply(row);
        }
    }

    private final String name;
    private final Comparator<String> order;
    private final Function<R, String> key;
    private final List<Grouping<R>> groupings;
    private final Function<R, byte[]> encode;
    private final Function<byte[], R> decode;

    /**
     * @param name its name in snapshots
     * @param order of its primary keys
     * @param encode a row as it stands in snapshots; {@code decode} gives an equal row
     */
    public TableDef(
            String name,
            Comparator<String> order,
            Function<R, String> key,
            List<Grouping<R>> groupings,
            Function<R, byte[]> encode,
            Function<byte[], R> decode) {
        this.name = name;
        this.order = order;
        this.key = key;
        this.groupings = List.copyOf(groupings);
        this.encode = encode;
        this.decode = decode;
    }

    public String name() {
        return name;
    }

    String key(R row) {
        return key.apply(row);
    }

    Comparator<String> order() {
        return order;
    }

    List<Grouping<R>> groupings() {
        return groupings;
    }

    byte[] encode(R row) {
        return encode.apply(row);
    }

    R decode(byte[] bytes) {
        return decode.apply(bytes);
    }

    @Override
    public String toString() {
        return name;
    }
}
