package registry.server.raft;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.server.ServerConfig;
import registry.server.storage.NodeStore;

/** What a server's disk says of its place in a cluster, before it takes part. */
public final class RaftDisk {
    private static final Logger LOG = LoggerFactory.getLogger(RaftDisk.class);

    private final NodeStore store;
    private final RaftStore log;
    private final Ballot ballot;
    private final Snapshots snapshots;

    private RaftDisk(NodeStore store, RaftStore log, Ballot ballot, Snapshots snapshots) {
        this.store = store;
        this.log = log;
        this.ballot = ballot;
        this.snapshots = snapshots;
    }

    /**
     * Opens the log and the newest good snapshot in {@code store}, which stays the caller's to
     * close.
     *
     * @throws IOException when what is on disk can't be used: says what is damaged and what to do
     */
    public static RaftDisk open(NodeStore store, ServerConfig config) throws IOException {
        RaftStore log = RaftStore.open(store, config.nodeName());
        Snapshots snapshots = Snapshots.open(config.dataDir().resolve("snapshots"), log);
        return new RaftDisk(store, log, new Ballot(store), snapshots);
    }

    /** Who this server is to the others, for as long as its disk lives. */
    public String raftId() {
        return log.raftId();
    }

    /** Id of the cluster that it belongs to or has promised to found; empty text before. */
    public String clusterId() {
        return log.clusterId();
    }

    /** Raft ids of the voters that it founds the cluster with; empty when it joined later. */
    public List<String> founders() {
        return log.founders();
    }

    /** True when it has taken part: the log knows the members better than anybody. */
    public boolean hasHistory() {
        return !log.isEmpty() || snapshots.newest() != null;
    }

    /**
     * Binds this server to a cluster, durably.
     *
     * @param founders empty when the cluster exists and will take this server in
     */
    public void bind(String clusterId, List<String> founders) {
        log.name(clusterId, founders);
    }

    /** Where the other members were last, by raft id; a hint that may be out of date. */
    public SortedMap<String, InetSocketAddress> addresses() {
        SortedMap<String, InetSocketAddress> addresses = new TreeMap<>();
        for (String line : log.addresses().lines().toList()) {
            String[] words = line.split(" ", 3);
            addresses.put(words[0], new InetSocketAddress(words[1], Integer.parseInt(words[2])));
        }
        return addresses;
    }

    /** Remembers where the others are, so that servers that all restart find each other at once. */
    public void keep(SortedMap<String, InetSocketAddress> addresses) {
        var lines = new StringBuilder();
        addresses.forEach((raftId, at) ->
                lines.append(raftId)
                        .append(' ')
                        .append(at.getAddress().getHostAddress())
                        .append(' ')
                        .append(at.getPort())
                        .append('\n'));
        log.keepAddresses(lines.toString());
    }

    /** This server can't go on; the process ends with a line that says why. */
    void halt(String why, Throwable cause) {
        System.err.println("==> this server stops at once: " + why + ": " + cause);
        LOG.error("stopping at once: why=\"{}\"", why, cause);
        store.stop(4);
    }

    RaftStore log() {
        return log;
    }

    Ballot ballot() {
        return ballot;
    }

    Snapshots snapshots() {
        return snapshots;
    }
}
