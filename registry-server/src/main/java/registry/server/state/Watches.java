package registry.server.state;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Who waits for a change below which path prefixes. No thread waits here, and a waiter is called at
 * most once per registration.
 *
 * <p>Whoever waits registers <em>first</em> and reads the state afterwards: a commit before the
 * read is seen by the read, a commit after it finds the registration.
 *
 * <p>One lock, held for memory only. A commit takes whole buckets out under it; the waiters are
 * called by the consumer's threads.
 */
public final class Watches {
    /** Something that waits; must be equal to itself alone. */
    public interface Waiter {}

    private final Consumer<Set<Waiter>> wake;
    private final Map<String, Set<Waiter>> buckets = new HashMap<>();

    /**
     * How many buckets have a prefix of this length: a changed path is looked up once for each of
     * them.
     */
    private final TreeMap<Integer, Integer> lengths = new TreeMap<>();

    /** The keys of {@code lengths}, ascending. */
    private int[] sortedLengths = {};

    /**
     * @param wake takes woken waiters, which are no longer registered under the prefix that woke
     *     them, and hands them to other threads; called by the thread that applies commands; the
     *     set is its own from then on
     */
    public Watches(Consumer<Set<Waiter>> wake) {
        this.wake = wake;
    }

    /** Registers the waiter under each prefix; again is the same. */
    public synchronized void register(Collection<String> prefixes, Waiter waiter) {
        for (String prefix : prefixes) {
            Set<Waiter> bucket = buckets.get(prefix);
            if (bucket == null) {
                bucket = new HashSet<>();
                buckets.put(prefix, bucket);
                count(prefix.length(), 1);
            }
            bucket.add(waiter);
        }
    }

    /** Forgets the waiter under each prefix. */
    public synchronized void deregister(Collection<String> prefixes, Waiter waiter) {
        for (String prefix : prefixes) {
            Set<Waiter> bucket = buckets.get(prefix);
            if (bucket != null && bucket.remove(waiter) && bucket.isEmpty()) {
                take(prefix);
            }
        }
    }

    /** Wakes all who watch a prefix of one of the paths. */
    void fire(Collection<String> paths) {
        for (Set<Waiter> bucket : touched(paths)) {
            wake.accept(bucket);
        }
    }

    /** Wakes everybody: the state was replaced, or may no longer be answered from. */
    public void wakeAll() {
        List<Set<Waiter>> all;
        synchronized (this) {
            all = new ArrayList<>(buckets.values());
            buckets.clear();
            lengths.clear();
            sortedLengths = new int[0];
        }
        all.forEach(wake);
    }

    /** How many prefixes are watched. */
    public synchronized int size() {
        return buckets.size();
    }

    private synchronized List<Set<Waiter>> touched(Collection<String> paths) {
        if (buckets.isEmpty()) {
            return List.of();
        }
        List<Set<Waiter>> touched = new ArrayList<>();
        for (String path : paths) {
            for (int length : sortedLengths) {
                if (length > path.length()) {
                    break;
                }
                String prefix = path.substring(0, length);
                if (buckets.containsKey(prefix)) {
                    touched.add(take(prefix));
                }
            }
        }
        return touched;
    }

    private Set<Waiter> take(String prefix) {
        Set<Waiter> bucket = buckets.remove(prefix);
        if (bucket == null) {
            return Set.of();
        }
        count(prefix.length(), -1);
        return bucket;
    }

    private void count(int length, int more) {
        int known = lengths.size();
        lengths.merge(length, more, (now, change) -> now + change == 0 ? null : now + change);
        if (lengths.size() != known) {
            sortedLengths = lengths.keySet().stream().mapToInt(Integer::intValue).toArray();
        }
    }
}
