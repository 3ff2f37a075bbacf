package registry.server.state;

import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
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

    /**
     * Into which history rows are carried.
     *
     * @param index above all of both histories: what rows are said to have been changed at
     * @param timeShift added to a moment of theirs, gives the same moment by {@link State#time}
     *     here
     */
    public record Carriage(long index, long timeShift) {}

    /**
     * How a row of another history looks in this one.
     *
     * @param <R> the row
     */
    @FunctionalInterface
    public interface Carrier<R> {
        /**
         * @param here looks up the row of this history that it takes the place of
         */
        R carry(R row, Supplier<@Nullable R> here, Carriage into);
    }

    private final String name;
    private final Comparator<String> order;
    private final Function<R, String> key;
    private final List<Grouping<R>> groupings;
    private final Function<R, byte[]> encode;
    private final Function<byte[], R> decode;
    private final @Nullable Carrier<R> carrier;
    private final List<String> scopes;

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
        this(name, order, key, groupings, encode, decode, null, List.of());
    }

    private TableDef(
            String name,
            Comparator<String> order,
            Function<R, String> key,
            List<Grouping<R>> groupings,
            Function<R, byte[]> encode,
            Function<byte[], R> decode,
            @Nullable Carrier<R> carrier,
            List<String> scopes) {
        this.name = name;
        this.order = order;
        this.key = key;
        this.groupings = List.copyOf(groupings);
        this.encode = encode;
        this.decode = decode;
        this.carrier = carrier;
        this.scopes = scopes;
    }

    /**
     * The table as one that users' snapshots hold and a restore replaces; without, its rows are
     * this cluster's own business and stay.
     *
     * @param scopes those that what has gone reports the index of: they get one with every restore
     */
    public TableDef<R> carriedBy(Carrier<R> how, String... scopes) {
        return new TableDef<>(name, order, key, groupings, encode, decode, how, List.of(scopes));
    }

    /** Scopes that have an index after every restore. */
    List<String> scopes() {
        return scopes;
    }

    /** Whether users' snapshots hold the table. */
    public boolean isCarried() {
        return carrier != null;
    }

    R carry(R row, Supplier<@Nullable R> here, Carriage into) {
        return carrier == null ? row : carrier.carry(row, here, into);
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
