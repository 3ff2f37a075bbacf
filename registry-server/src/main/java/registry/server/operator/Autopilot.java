package registry.server.operator;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.AutopilotConfig;
import registry.server.catalog.CatalogTable;
import registry.server.leader.LeaderLoop;
import registry.server.leader.Members;
import registry.server.operator.OperatorCalls.ServerHealth;
import registry.server.operator.OperatorCalls.ServersHealth;
import registry.server.raft.Consensus;
import registry.server.raft.Consensus.Standing;
import registry.server.state.StateStore;

/**
 * As the leader, judges the servers' health, and removes a voter that has been dead for long: never
 * when the others that answer would be no quorum, and only if gossip agrees. How long a server is
 * dead is counted by this leader alone, so a new leader begins to count anew. One lock, for memory
 * only.
 */
public final class Autopilot implements LeaderLoop.Duty {
    private static final Logger log = LoggerFactory.getLogger(Autopilot.class);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final Instant NEVER = Instant.parse("0001-01-01T00:00:00Z");

    private final StateStore store;
    private final Consensus consensus;
    private final Members members;
    private final AutopilotConfig initial;
    private final Duration deadServerDelay;
    private final LongSupplier nanoTime;
    private final InstantSource clock;

    // Guarded by this.
    private final Map<String, Health> healths = new HashMap<>();
    private final Map<String, Long> deadSince = new HashMap<>();
    private long lastTerm;

    /** A server's health and since when it is so. */
    private record Health(boolean healthy, Instant since) {}

    /**
     * @param initial what holds while no configuration was written
     * @param deadServerDelay how long a voter has to be dead before it is removed
     * @param clock of what is shown to people
     */
    public Autopilot(
            StateStore store,
            Consensus consensus,
            Members members,
            AutopilotConfig initial,
            Duration deadServerDelay,
            LongSupplier nanoTime,
            InstantSource clock) {
        this.store = store;
        this.consensus = consensus;
        this.members = members;
        this.initial = initial;
        this.deadServerDelay = deadServerDelay;
        this.nanoTime = nanoTime;
        this.clock = clock;
    }

    /** The configuration in force; its indexes are 0 while nobody has written one. */
    AutopilotConfig config() {
        AutopilotConfig written = AutopilotTable.config(store.current());
        return written == null ? initial : written;
    }

    @Override
    public void run(long term) {
        health();
        List<Standing> standings = consensus.standings();
        Standing dead = dead(term, standings);
        if (dead == null || !config().cleanupDeadServers()) {
            return;
        }
        long voters = standings.stream().filter(standing -> standing.peer().voter()).count();
        if (voters - 1 < config().minQuorum()) {
            return;
        }
        try {
            consensus.removeVoter(dead.raftId());
            log.warn(
                    "dead server removed from the voters: node={} address={} dead_for={}",
                    dead.peer().node(),
                    dead.peer().address(),
                    deadServerDelay);
        } catch (ApiException e) {
            log.warn("dead server not removed: node={} error={}", dead.peer().node(), e.text());
        }
    }

    /** A voter that neither Raft nor gossip has heard for longer than the delay. */
    private synchronized @Nullable Standing dead(long term, List<Standing> standings) {
        if (term != lastTerm) {
            deadSince.clear();
            lastTerm = term;
        }
        long now = nanoTime.getAsLong();
        Set<String> silent = new HashSet<>();
        Standing longest = null;
        for (Standing standing : standings) {
            Members.Peer member = member(standing.peer());
            boolean isAlive = member != null && member.state() == Members.State.ALIVE;
            if (!standing.peer().voter() || standing.answers() || isAlive) {
                continue;
            }
            silent.add(standing.raftId());
            long since = deadSince.computeIfAbsent(standing.raftId(), id -> now);
            if (now - since >= deadServerDelay.toNanos()) {
                longest = standing;
            }
        }
        deadSince.keySet().retainAll(silent);
        return longest;
    }

    /** How the servers are, as this leader sees them. */
    ServersHealth health() {
        AutopilotConfig config = config();
        List<Standing> standings = new ArrayList<>(consensus.standings());
        standings.sort(Comparator.comparing(standing -> standing.peer().id()));
        Standing leader =
                standings.stream()
                        .filter(standing -> standing.peer().leader())
                        .findFirst()
                        .orElse(null);
        var servers = new ArrayList<ServerHealth>();
        int voters = 0;
        int healthyVoters = 0;
        for (Standing standing : standings) {
            ServerHealth server = server(standing, leader, config);
            servers.add(server);
            voters += server.voter() ? 1 : 0;
            healthyVoters += server.voter() && server.healthy() ? 1 : 0;
        }
        boolean healthy =
                leader != null && servers.stream().allMatch(OperatorCalls.ServerHealth::healthy);
        return new ServersHealth(
                healthy, Math.max(0, healthyVoters - (voters / 2 + 1)), List.copyOf(servers));
    }

    private ServerHealth server(
            Standing standing, @Nullable Standing leader, AutopilotConfig config) {
        Consensus.Peer peer = standing.peer();
        Members.Peer member = member(peer);
        String status = member == null ? "none" : word(member.state());
        boolean healthy =
                leader != null
                        && status.equals("alive")
                        && (peer.leader()
                                || standing.answers()
                                        && standing.lastContactMillis()
                                                <= config.lastContactThreshold().toMillis()
                                        && standing.lastIndex() + config.maxTrailingLogs()
                                                >= leader.lastIndex());
        return new ServerHealth(
                peer.id(),
                peer.node(),
                peer.address(),
                status,
                version(member),
                peer.leader(),
                peer.voter(),
                Duration.ofMillis(standing.lastContactMillis()),
                standing.lastTerm(),
                standing.lastIndex(),
                healthy,
                since(standing.raftId(), healthy).toString(),
                meta(peer.node()));
    }

    private synchronized Instant since(String raftId, boolean healthy) {
        Health before = healths.get(raftId);
        if (before != null && before.healthy() == healthy) {
            return before.since();
        }
        Instant now = before == null && !healthy ? NEVER : clock.instant();
        healths.put(raftId, new Health(healthy, now));
        return now;
    }

    private Members.@Nullable Peer member(Consensus.Peer peer) {
        return members.all().stream()
                .filter(member -> member.id().equals(peer.id()))
                .findFirst()
                .orElse(null);
    }

    private static String word(Members.State state) {
        return switch (state) {
            case ALIVE -> "alive";
            case LEAVING -> "leaving";
            case LEFT -> "left";
            case FAILED -> "failed";
        };
    }

    private static String version(Members.@Nullable Peer member) {
        String build = member == null ? "" : member.tags().getOrDefault("build", "");
        int colon = build.indexOf(':');
        return colon < 0 ? build : build.substring(0, colon);
    }

    private SortedMap<String, String> meta(String node) {
        var row = CatalogTable.node(store.current(), node);
        SortedMap<String, String> meta = row == null ? null : row.value().meta();
        return meta == null ? new TreeMap<>() : meta;
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public String toString() {
        return "autopilot";
    }
}
