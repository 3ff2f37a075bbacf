package registry.server.snapshot;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * A restore on its way: its archive comes through the log in pieces, one restore at a time, and
 * takes the place of the state in a single command. Until then nothing has changed; after it
 * nothing of the old is left.
 */
public final class RestoreTable {
    /** The pieces that have come so far. No user's snapshot holds them. */
    public static final TableDef<RestorePart> PARTS =
            new TableDef<>(
                    "restore-parts",
                    String::compareTo,
                    RestorePart::key,
                    List.of(),
                    Json::write,
                    bytes -> Json.read(bytes, RestorePart.class));

    /** A restore of which nothing was heard for so long is given up. */
    private static final long PATIENCE_MILLIS = 60_000;

    private RestoreTable() {}

    /** The restore that has been given up at {@code time}; null when there is none. */
    public static @Nullable String abandoned(State state, long time) {
        return abandoned(state.table(PARTS).rows().values(), time);
    }

    /** The restore whose pieces are there; null when there is none. */
    static @Nullable String underWay(State state) {
        RestorePart last = last(state.table(PARTS).rows().values());
        return last == null ? null : last.restore();
    }

    private static @Nullable String abandoned(Collection<RestorePart> parts, long time) {
        RestorePart last = last(parts);
        return last != null && last.time() + PATIENCE_MILLIS <= time ? last.restore() : null;
    }

    private static @Nullable RestorePart last(Collection<RestorePart> parts) {
        RestorePart last = null;
        for (RestorePart part : parts) {
            last = part;
        }
        return last;
    }

    static boolean stage(Tx tx, String restore, int part, byte[] bytes) {
        Collection<RestorePart> parts = tx.table(PARTS).rows().values();
        RestorePart last = last(parts);
        if (last != null && !last.restore().equals(restore)) {
            if (abandoned(parts, tx.time()) == null) {
                throw ApiException.refused("another restore is under way, try again later");
            }
            drop(tx, last.restore());
            last = null;
        }
        int next = last == null ? 0 : last.part() + 1;
        if (part > next) {
            throw ApiException.refused(
                    "failed to restore: it took too long, part " + next + " is gone");
        }
        if (part == next) {
            tx.put(PARTS, new RestorePart(restore, part, bytes, tx.time()));
        }
        return true;
    }

    static boolean commit(Tx tx, String restore, int parts) {
        List<RestorePart> come = tx.table(PARTS).below(restore + "/");
        if (come.size() != parts) {
            throw ApiException.refused(
                    "failed to restore: it took too long, %d of %d parts are there"
                            .formatted(come.size(), parts));
        }
        drop(tx, restore);
        try {
            SnapshotArchive.restore(joined(come), tx);
        } catch (IOException e) {
            throw ApiException.refused(String.valueOf(e.getMessage()));
        }
        return true;
    }

    private static InputStream joined(List<RestorePart> parts) {
        return new SequenceInputStream(
                Collections.enumeration(
                        parts.stream()
                                .map(part -> new ByteArrayInputStream(part.bytes()))
                                .toList()));
    }

    static boolean drop(Tx tx, String restore) {
        List<RestorePart> parts = tx.table(PARTS).below(restore + "/");
        parts.forEach(part -> tx.delete(PARTS, part.key()));
        return !parts.isEmpty();
    }
}
