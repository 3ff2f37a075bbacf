package registry.server.state;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Rows by primary key, gathered in the order of a table in which most come already: a tree is made
 * of those without a search for each. Used by one thread.
 */
final class Ascending<R> {
    private final Comparator<String> order;
    private final List<Map.Entry<String, R>> rows;
    private boolean inOrder = true;

    /**
     * @param expected how many rows it will probably be
     */
    Ascending(Comparator<String> order, int expected) {
        this.order = order;
        this.rows = new ArrayList<>(expected);
    }

    /** Adds a row; takes the place of one with the same key. */
    void add(Map.Entry<String, R> row) {
        inOrder &= rows.isEmpty() || order.compare(rows.getLast().getKey(), row.getKey()) < 0;
        rows.add(row);
    }

    /** All rows; not to be added to any more. */
    SortedMap<String, R> sorted() {
        if (inOrder) {
            return new View();
        }
        var sorted = new TreeMap<String, R>(order);
        rows.forEach(row -> sorted.put(row.getKey(), row.getValue()));
        return sorted;
    }

    /** For who goes through all of it. */
    private final class View extends AbstractMap<String, R> implements SortedMap<String, R> {
        @Override
        public Comparator<String> comparator() {
            return order;
        }

        @Override
        public Set<Map.Entry<String, R>> entrySet() {
            return new AbstractSet<>() {
                @Override
                public Iterator<Map.Entry<String, R>> iterator() {
                    return rows.iterator();
                }

                @Override
                public int size() {
                    return rows.size();
                }
            };
        }

        @Override
        public String firstKey() {
            return rows.getFirst().getKey();
        }

        @Override
        public String lastKey() {
            return rows.getLast().getKey();
        }

        @Override
        public SortedMap<String, R> subMap(String from, String to) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SortedMap<String, R> headMap(String to) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SortedMap<String, R> tailMap(String from) {
            throw new UnsupportedOperationException();
        }
    }
}
