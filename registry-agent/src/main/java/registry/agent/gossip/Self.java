package registry.agent.gossip;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jgroups.Address;
import org.jspecify.annotations.Nullable;
import registry.server.leader.Members.State;

/**
 * What this node says of itself. Each word is newer than all before, so that its own word beats
 * what others have seen. Of the {@code gossip} thread, but for {@code publish}.
 */
final class Self {
    private final GossipConfig config;
    private final String via;
    private final long startedNanos = System.nanoTime();
    private final AtomicLong version = new AtomicLong();
    private volatile long incarnation;
    private volatile State state = State.ALIVE;
    private volatile @Nullable MemberRecord last;
    private volatile SortedMap<String, String> facts = new TreeMap<>();

    Self(GossipConfig config, Address address, long incarnation) {
        this.config = config;
        this.via = Via.of(address);
        this.incarnation = incarnation;
    }

    /** A new word, for everybody. */
    MemberRecord next() {
        last =
                new MemberRecord(
                        config.nodeId(),
                        config.nodeName(),
                        config.advertiseAddress().getHostAddress(),
                        config.port(),
                        config.server(),
                        config.rpcPort(),
                        config.tags(),
                        facts,
                        via,
                        incarnation,
                        version.incrementAndGet(),
                        state,
                        System.currentTimeMillis());
        return last;
    }

    /** The last word again, for who may have missed it. */
    MemberRecord word() {
        MemberRecord said = last;
        return said != null ? said : next();
    }

    String name() {
        return config.nodeName();
    }

    State state() {
        return state;
    }

    long startedNanos() {
        return startedNanos;
    }

    long upMillis() {
        return (System.nanoTime() - startedNanos) / 1_000_000;
    }

    void leaving() {
        state = State.LEAVING;
    }

    void publish(SortedMap<String, String> next) {
        facts = Collections.unmodifiableSortedMap(new TreeMap<>(next));
    }

    /**
     * Somebody takes this process for an earlier one, or for dead.
     *
     * @return whether he has to be told again
     */
    boolean refutes(MemberRecord rumour) {
        if (!rumour.id().equals(config.nodeId()) || state != State.ALIVE) {
            return false;
        }
        boolean earlier = !rumour.via().equals(via);
        if (earlier && rumour.incarnation() >= incarnation) {
            incarnation = rumour.incarnation() + 1;
            return true;
        }
        if (!earlier && rumour.state() != State.ALIVE) {
            // Also when it is of an older word of ours: others may not have heard a newer one.
            version.accumulateAndGet(rumour.version(), Math::max);
            return true;
        }
        return false;
    }
}
