package registry.server.rpc;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answers last given, by question: good for as long as the question's index stands, see {@link
 * Query}. Bounded by count and bytes; the least recently used go first.
 */
public final class AnswerCache {
    private record Key(String method, String name, Map<String, List<String>> params) {}

    private record Entry(long index, Query.Answer answer, int bytes) {}

    /** What an entry costs beside its body, roughly. */
    private static final int OVERHEAD = 500;

    private final int maxEntries;
    private final long maxBytes;
    private final LinkedHashMap<Key, Entry> entries = new LinkedHashMap<>(64, 0.75f, true);
    private long bytes;

    AnswerCache(int maxEntries, long maxBytes) {
        this.maxEntries = maxEntries;
        this.maxBytes = maxBytes;
    }

    synchronized Query.@Nullable Answer get(Question question, long index) {
        Entry entry = entries.get(key(question));
        return entry == null || entry.index != index ? null : entry.answer;
    }

    synchronized void put(Question question, long index, Query.Answer answer) {
        int size = answer.body().length + OVERHEAD;
        if (size > maxBytes / 4) {
            return;
        }
        Entry old = entries.put(key(question), new Entry(index, answer, size));
        bytes += size - (old == null ? 0 : old.bytes);
        Iterator<Entry> eldest = entries.values().iterator();
        while (entries.size() > maxEntries || bytes > maxBytes) {
            bytes -= eldest.next().bytes;
            eldest.remove();
        }
    }

    /** Forgets all. */
    public synchronized void clear() {
        entries.clear();
        bytes = 0;
    }

    synchronized long bytes() {
        return bytes;
    }

    synchronized int size() {
        return entries.size();
    }

    private static Key key(Question question) {
        return new Key(question.method(), question.name(), question.params());
    }
}
