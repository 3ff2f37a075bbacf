package registry.agent.gossip;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The processes of the present view, and which of them has a name and a node id. Of the {@code
 * gossip} thread only.
 */
final class Holders {
    private final Map<String, Holder> byVia = new HashMap<>();
    private final Set<String> heard = new HashSet<>();

    /**
     * A process that has a name and an id.
     *
     * @param started when it did, by this node's {@code nanoTime}
     */
    record Holder(MemberRecord record, long started) {
        long upMillis() {
            return (System.nanoTime() - started) / 1_000_000;
        }

        /** Whether it was there before the other. */
        boolean precedes(long otherStarted) {
            return started - otherStarted <= 0;
        }

        /** What whoever wants the same name or id is told. */
        String refusal() {
            return "node name \"%s\" with node id %s belongs to a member that is alive at %s:%d; choose another -node and -node-id, or stop that one"
                    .formatted(record.name(), record.id(), record.address(), record.port());
        }
    }

    /** By its own word; null when it had not spoken yet. */
    @Nullable Holder put(Holder holder) {
        String via = holder.record().via();
        Holder before = byVia.put(via, holder);
        return heard.add(via) ? null : before;
    }

    /** By what another says of it, until it speaks. */
    void putHearsay(Holder holder) {
        byVia.put(holder.record().via(), holder);
    }

    @Nullable Holder remove(String via) {
        heard.remove(via);
        return byVia.remove(via);
    }

    /** Whether it has spoken itself. */
    boolean hasSpoken(String via) {
        return heard.contains(via);
    }

    @Nullable Holder find(String via) {
        return byVia.get(via);
    }

    boolean contains(String via) {
        return byVia.containsKey(via);
    }

    Collection<Holder> all() {
        return byVia.values();
    }

    /** Another process with the same name or id, or null. */
    @Nullable Holder rivalOf(MemberRecord record) {
        for (Holder holder : byVia.values()) {
            if (clash(holder.record(), record)) {
                return holder;
            }
        }
        return null;
    }

    static boolean clash(MemberRecord one, MemberRecord other) {
        return !one.via().equals(other.via())
                && (one.name().equalsIgnoreCase(other.name()) || one.id().equals(other.id()));
    }
}
