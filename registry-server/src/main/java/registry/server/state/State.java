package registry.server.state;

import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PSortedMap;
import org.pcollections.TreePMap;

/**
 * All that is replicated, at one moment. Immutable: everything read from one state agrees.
 *
 * @param base added to a log position to make an index
 * @param index {@code base} + the log position of the last applied command
 * @param time milliseconds since the cluster's birth that its leaders have counted; only grows,
 *     knows no wall clock
 * @param indexes per scope the index of its last change; a scope goes with its last row
 */
public record State(
        long base,
        long index,
        long time,
        PMap<TableDef<?>, Table<?>> tables,
        PSortedMap<String, Long> indexes) {
    /** The state before the first command. */
    public static State empty() {
        return new State(0, 0, 0, HashTreePMap.empty(), TreePMap.empty());
    }

    @SuppressWarnings("unchecked") // Tx and StateCodec put each table under its own definition.
    public <R> Table<R> table(TableDef<R> def) {
        Table<?> table = tables.get(def);
        return table == null ? Table.empty(def) : (Table<R>) table;
    }

    /** When the scope last changed; 0 when it never did or has gone. */
    public long index(String scope) {
        Long index = indexes.get(scope);
        return index == null ? 0 : index;
    }

    /** Whether the scope has an index. */
    public boolean has(String scope) {
        return indexes.containsKey(scope);
    }
}
