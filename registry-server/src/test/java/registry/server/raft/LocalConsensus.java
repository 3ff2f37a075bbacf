package registry.server.raft;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import registry.api.ApiException;

/**
 * Consensus of one node that keeps no log and applies at once, on the caller's thread; leads until
 * told otherwise.
 */
public final class LocalConsensus implements Consensus {
    private static final Peer SELF = new Peer("id-1", "n1", "127.0.0.1:8300", true, true);

    private final Applier applier;
    private long index;
    private long term = 1;
    private volatile boolean leading = true;
    private volatile String followed = "";

    public LocalConsensus(Applier applier) {
        this.applier = applier;
        applier.leading(term);
    }

    /** For the constructor of a server; the consensus made is put into {@code into}. */
    public static Function<Applier, Consensus> into(LocalConsensus[] into) {
        return applier -> into[0] = new LocalConsensus(applier);
    }

    @Override
    public synchronized CompletableFuture<Object> propose(byte[] command) {
        if (!leading) {
            return CompletableFuture.failedFuture(ApiException.noLeader());
        }
        return CompletableFuture.completedFuture(applier.apply(++index, command));
    }

    /** The state machine behind it. */
    public Applier applier() {
        return applier;
    }

    /** Of the last command. */
    public synchronized long index() {
        return index;
    }

    @Override
    public CompletableFuture<Void> readIndex() {
        return leading
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(ApiException.noLeader());
    }

    /** Ceases to lead. */
    public synchronized void depose() {
        follow("");
    }

    /** Follows another. */
    public synchronized void follow(String leader) {
        followed = leader;
        leading = false;
        applier.following();
    }

    /** Leads again, in a new term. */
    public synchronized void elect() {
        leading = true;
        applier.leading(++term);
    }

    @Override
    public boolean isReadyLeader() {
        return leading;
    }

    @Override
    public String leaderId() {
        return leading ? SELF.id() : followed;
    }

    @Override
    public long lastContactMillis() {
        return 0;
    }

    @Override
    public List<Peer> peers() {
        return List.of(SELF);
    }

    @Override
    public List<Standing> standings() {
        return leading ? List.of(new Standing(SELF.id(), SELF, true, 0, term, index())) : List.of();
    }

    @Override
    public void removeVoter(String raftId) {
        throw ApiException.refused("the only voter");
    }

    @Override
    public void transferLeadership(String id) {
        throw ApiException.refused("no other voter answers");
    }

    @Override
    public SortedMap<String, String> stats() {
        return new TreeMap<>();
    }

    @Override
    public void close() {}
}
