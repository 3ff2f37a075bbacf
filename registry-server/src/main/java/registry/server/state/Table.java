package registry.server.state;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.pcollections.PSortedMap;
import org.pcollections.TreePMap;

/** The rows of one table at one moment, by primary key and by each grouping. Immutable. */
public final class Table<R> {
    /** Rows that most groups have at least. */
    private static final int FEW = 2;

    private final TableDef<R> def;
    private final PSortedMap<String, R> rows;
    private final List<PSortedMap<String, PSortedMap<String, R>>> groups;

    private Table(
            TableDef<R> def,
            PSortedMap<String, R> rows,
            List<PSortedMap<String, PSortedMap<String, R>>> groups) {
        this.def = def;
        this.rows = rows;
        this.groups = groups;
    }

    static <R> Table<R> empty(TableDef<R> def) {
        return of(def, new TreeMap<>(def.order()));
    }

    /** A table of many rows at once; {@code rows} by primary key, sorted in the table's order. */
    static <R> Table<R> of(TableDef<R> def, SortedMap<String, R> rows) {
        List<PSortedMap<String, PSortedMap<String, R>>> groups = new ArrayList<>();
        for (TableDef.Grouping<R> grouping : def.groupings()) {
            groups.add(grouped(def, grouping, rows));
        }
        return new Table<>(def, TreePMap.fromSortedMap(rows), List.copyOf(groups));
    }

    private static <R> PSortedMap<String, PSortedMap<String, R>> grouped(
            TableDef<R> def, TableDef.Grouping<R> grouping, SortedMap<String, R> rows) {
        Map<String, Ascending<R>> groups = new HashMap<>();
        for (Map.Entry<String, R> row : rows.entrySet()) {
            String group = grouping.of(row.getValue());
            if (group != null) {
                groups.computeIfAbsent(group, first -> new Ascending<>(def.order(), FEW)).add(row);
            }
        }
        var byName = new ArrayList<>(groups.entrySet());
        byName.sort(Map.Entry.comparingByKey());
        var sorted = new Ascending<PSortedMap<String, R>>(String::compareTo, byName.size());
        for (Map.Entry<String, Ascending<R>> group : byName) {
            PSortedMap<String, R> members = TreePMap.fromSortedMap(group.getValue().sorted());
            sorted.add(Map.entry(group.getKey(), members));
        }
        return TreePMap.fromSortedMap(sorted.sorted());
    }

    public @Nullable R get(String key) {
        return rows.get(key);
    }

    /** All rows by primary key, in the table's order. */
    public PSortedMap<String, R> rows() {
        return rows;
    }

    /**
     * The rows whose primary key begins with {@code prefix}, in the table's order; a list of its
     * own.
     */
    public List<R> below(String prefix) {
        PSortedMap<String, R> from = prefix.isEmpty() ? rows : rows.tailMap(prefix, true);
        List<R> below = new ArrayList<>();
        for (Map.Entry<String, R> row : from.entrySet()) {
            if (!row.getKey().startsWith(prefix)) {
                break;
            }
            below.add(row.getValue());
        }
        return below;
    }

    /** The rows of one group by primary key; empty when there are none. */
    public PSortedMap<String, R> group(TableDef.Grouping<R> grouping, String group) {
        PSortedMap<String, R> members = groups(grouping).get(group);
        return members == null ? TreePMap.empty(def.order()) : members;
    }

    /** All groups that have rows. */
    public PSortedMap<String, PSortedMap<String, R>> groups(TableDef.Grouping<R> grouping) {
        return groups.get(def.groupings().indexOf(grouping));
    }

    Table<R> plus(R row) {
        String key = def.key(row);
        R old = rows.get(key);
        List<PSortedMap<String, PSortedMap<String, R>>> changed = new ArrayList<>(groups.size());
        for (int i = 0; i < groups.size(); i++) {
            TableDef.Grouping<R> grouping = def.groupings().get(i);
            String from = old == null ? null : grouping.of(old);
            String to = grouping.of(row);
            var all = groups.get(i);
            if (from != null && !from.equals(to)) {
                all = minus(all, from, key);
            }
            changed.add(to == null ? all : plus(all, to, key, row));
        }
        return new Table<>(def, rows.plus(key, row), changed);
    }

    Table<R> minus(String key) {
        R old = rows.get(key);
        if (old == null) {
            return this;
        }
        List<PSortedMap<String, PSortedMap<String, R>>> changed = new ArrayList<>(groups.size());
        for (int i = 0; i < groups.size(); i++) {
            String group = def.groupings().get(i).of(old);
            changed.add(group == null ? groups.get(i) : minus(groups.get(i), group, key));
        }
        return new Table<>(def, rows.minus(key), changed);
    }

    private PSortedMap<String, PSortedMap<String, R>> plus(
            PSortedMap<String, PSortedMap<String, R>> all, String group, String key, R row) {
        PSortedMap<String, R> members = all.get(group);
        PSortedMap<String, R> before = members == null ? TreePMap.empty(def.order()) : members;
        return all.plus(group, before.plus(key, row));
    }

    /** A group goes with its last row, so that names once seen do not pile up. */
    private static <R> PSortedMap<String, PSortedMap<String, R>> minus(
            PSortedMap<String, PSortedMap<String, R>> all, String group, String key) {
        PSortedMap<String, R> members = all.get(group);
        if (members == null) {
            return all;
        }
        PSortedMap<String, R> left = members.minus(key);
        return left.isEmpty() ? all.minus(group) : all.plus(group, left);
    }
}
