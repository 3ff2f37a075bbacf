package registry.server.state;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.pcollections.PMap;
import org.pcollections.PSortedMap;
import org.pcollections.TreePMap;

/**
 * One command's changes on top of a state, until they become the next one. Used by one thread, then
 * thrown away.
 */
public final class Tx {
    /** A row that the command removed. */
    public record Deletion<R>(TableDef<R> table, R row) {}

    /** A row put by a command. */
    public record Placed<R>(TableDef<R> table, R row) {}

    private final State before;
    private final List<TableDef<?>> known;
    private final Consumer<Tx> aftermath;
    private final long time;
    private long index;
    private final Set<String> paths = new LinkedHashSet<>();
    private final List<Deletion<?>> deletions = new ArrayList<>();
    private final List<Placed<?>> placed = new ArrayList<>();
    private PMap<TableDef<?>, Table<?>> tables;
    private PSortedMap<String, Long> indexes;

    /** How far above its position in the log the command's index is, beside the base. */
    private long raised;

    private boolean replaced;

    /**
     * @param index of the command, above {@code before}'s
     * @param time of the command; an earlier one than {@code before}'s counts as the same
     */
    public Tx(State before, long index, long time) {
        this(before, index, time, List.of());
    }

    /**
     * @param known all tables there are
     */
    public Tx(State before, long index, long time, List<TableDef<?>> known) {
        this(before, index, time, known, tx -> {});
    }

    /**
     * @param aftermath what changes bring about beyond their own rows; to follow again does no harm
     */
    public Tx(
            State before, long index, long time, List<TableDef<?>> known, Consumer<Tx> aftermath) {
        this.before = before;
        this.aftermath = aftermath;
        this.known = List.copyOf(known);
        this.index = index;
        this.time = Math.max(time, before.time());
        this.tables = before.tables();
        this.indexes = before.indexes();
    }

    public long index() {
        return index;
    }

    /** The command's index without what a restore has raised it by. */
    long position() {
        return index - raised;
    }

    public long time() {
        return time;
    }

    /** All tables there are, those without rows too. */
    public List<TableDef<?>> known() {
        return known;
    }

    /** The scope's index so far; 0 when it has none. */
    public long index(String scope) {
        Long of = indexes.get(scope);
        return of == null ? 0 : of;
    }

    @SuppressWarnings("unchecked") // put() and StateCodec put each table under its own definition.
    public <R> Table<R> table(TableDef<R> def) {
        Table<?> table = tables.get(def);
        return table == null ? Table.empty(def) : (Table<R>) table;
    }

    public <R> @Nullable R get(TableDef<R> def, String key) {
        return table(def).get(key);
    }

    /** Adds or replaces a row. */
    public <R> void put(TableDef<R> def, R row) {
        tables = tables.plus(def, table(def).plus(row));
        placed.add(new Placed<>(def, row));
    }

    /** Removes a row, if it is there. */
    public <R> void delete(TableDef<R> def, String key) {
        Table<R> table = table(def);
        R row = table.get(key);
        if (row != null) {
            tables = tables.plus(def, table.minus(key));
            deletions.add(new Deletion<>(def, row));
        }
    }

    /** The scope has changed: its index becomes the command's, its watchers wake. */
    public void move(String scope) {
        renumber(scope, index);
        wake(scope);
    }

    /** Sets a scope's index without waking anybody. */
    public void renumber(String scope, long to) {
        Long now = indexes.get(scope);
        if (now == null || now != to) {
            indexes = indexes.plus(scope, to);
        }
    }

    /** Forgets a scope's index with its last row, and wakes its watchers. */
    public void drop(String scope) {
        indexes = indexes.minus(scope);
        wake(scope);
    }

    /** Wakes those who watch a prefix of {@code path}. */
    public void wake(String path) {
        paths.add(path);
    }

    /**
     * Rows of another history take the place of those of every table that says how they are carried
     * over. The command's index rises above all that either history has given, and every scope gets
     * it: whoever watches anything wakes, no index falls, and none of before equals one of after.
     *
     * @param other what {@link StateCodec} wrote; read to its end
     * @throws IOException when it is something else; nothing has changed then
     */
    public void restore(InputStream other) throws IOException {
        List<TableDef<?>> carried = known.stream().filter(TableDef::isCarried).toList();
        State read = new StateCodec(carried).read(other, this::carrying);
        raised = raiseAbove(read);
        index += raised;
        SortedMap<String, Long> moved = new TreeMap<>();
        read.indexes().keySet().forEach(scope -> moved.put(scope, index));
        indexes.keySet().stream()
                .filter(scope -> scope.indexOf('/') < 0)
                .forEach(scope -> moved.put(scope, index));
        for (TableDef<?> def : carried) {
            tables = tables.plus(def, read.table(def));
            def.scopes().forEach(scope -> moved.put(scope, index));
        }
        indexes = TreePMap.fromSortedMap(moved);
        replaced = true;
    }

    private long raiseAbove(State other) {
        return Math.max(0, other.index() + 1 - index);
    }

    /** Each row as it will look here, before the first table is made of them. */
    private StateCodec.Rows carrying(State head) {
        var into = new TableDef.Carriage(index + raiseAbove(head), time - head.time());
        return new StateCodec.Rows() {
            @Override
            public <R> R of(TableDef<R> def, R row) {
                return def.carry(row, () -> get(def, def.key(row)), into);
            }
        };
    }

    /** Whatever follows from the changes so far is done. */
    public void settle() {
        aftermath.accept(this);
    }

    /** Takes back all that the command has changed; not for one that has restored. */
    public void undo() {
        tables = before.tables();
        indexes = before.indexes();
        paths.clear();
        deletions.clear();
        placed.clear();
    }

    /** Whether whatever anybody watches has changed. */
    boolean isReplaced() {
        return replaced;
    }

    /** What the command has removed, in order. */
    public List<Deletion<?>> deletions() {
        return deletions;
    }

    /** What the command has added or replaced, in order; some of it may be gone again. */
    public List<Placed<?>> placed() {
        return placed;
    }

    /** What the command has changed, for {@link Watches}. */
    Set<String> paths() {
        return paths;
    }

    State after() {
        return new State(before.base() + raised, index, time, tables, indexes);
    }
}
