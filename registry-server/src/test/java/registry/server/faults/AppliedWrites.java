package registry.server.faults;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import registry.api.KvWrite;
import registry.api.json.Json;

/**
 * Which writes any server has applied, when first, and to which effect: so the fate of a write
 * whose answer was lost is known after all. All servers must agree on it.
 */
final class AppliedWrites {
    /**
     * @param nanos when the first server had applied it
     */
    record Applied(long index, boolean written, long nanos) {}

    private static final int HEADER = 10;

    private final Map<String, Applied> byValue = new ConcurrentHashMap<>();
    private final Map<Long, String> byIndex = new ConcurrentHashMap<>();
    private final Map<String, NavigableSet<Long>> changes = new ConcurrentHashMap<>();
    private final List<String> broken = new CopyOnWriteArrayList<>();

    private record Wrapped(@Nullable KvWrite write) {}

    void applied(long index, byte[] command, Object result, long now) {
        if (!(result instanceof Boolean written)) {
            return;
        }
        KvWrite write =
                Json.read(Arrays.copyOfRange(command, HEADER, command.length), Wrapped.class)
                        .write();
        byte[] value = write == null ? null : write.value();
        if (value == null) {
            return;
        }
        if (written) {
            changed(write.key(), index);
            changed(Answer.ALL, index);
        }
        var applied = new Applied(index, written, now);
        Applied first = byValue.putIfAbsent(text(value), applied);
        String there = byIndex.putIfAbsent(index, text(value));
        if (there != null && !there.equals(text(value))) {
            broken.add(
                    "index %d: one server has applied write %s, another %s"
                            .formatted(index, there, text(value)));
        }
        if (first != null && (first.index != index || first.written != written)) {
            broken.add(
                    "write %s: one server has applied it as %s, another as %s"
                            .formatted(text(value), first, applied));
        }
    }

    /** What a server said just before and just after it took over a snapshot of another. */
    void installed(Answer before, Answer after) {
        if (after.index() < before.index()
                || after.modified() > after.index()
                || after.modified() < before.modified()) {
            broken.add("a snapshot was installed: %s before, %s after".formatted(before, after));
        }
    }

    private void changed(String key, long index) {
        changes.computeIfAbsent(key, first -> new ConcurrentSkipListSet<>()).add(index);
    }

    private static String text(byte[] value) {
        return new String(value, 0, Math.min(value.length, 40), StandardCharsets.UTF_8).strip();
    }

    /** Index of the first change of a key behind another index; null when there is none yet. */
    @Nullable Long nextChange(String key, long index) {
        NavigableSet<Long> ofKey = changes.get(key);
        return ofKey == null ? null : ofKey.higher(index);
    }

    /** By the value written, which is written once only; null when no server has applied it. */
    @Nullable Applied of(String value) {
        return byValue.get(value);
    }

    List<String> broken() {
        return List.copyOf(broken);
    }
}
