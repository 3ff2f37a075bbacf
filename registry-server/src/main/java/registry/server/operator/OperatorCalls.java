package registry.server.operator;

import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import registry.api.AutopilotConfig;
import registry.server.rpc.Method;

/** What agents may ask of the leader about the servers' own group. */
public final class OperatorCalls {
    public static final Method<Ask, RaftServers> SERVERS =
            new Method<>("Operator.Servers", Ask.class, RaftServers.class);
    public static final Method<RemovePeer, Boolean> REMOVE_PEER =
            new Method<>("Operator.RemovePeer", RemovePeer.class, Boolean.class);
    public static final Method<Transfer, Boolean> TRANSFER =
            new Method<>("Operator.Transfer", Transfer.class, Boolean.class);
    public static final Method<Ask, AutopilotConfig> AUTOPILOT =
            new Method<>("Operator.Autopilot", Ask.class, AutopilotConfig.class);

    /** False when the configuration is another than the writer has seen. */
    public static final Method<SetAutopilot, Boolean> SET_AUTOPILOT =
            new Method<>("Operator.SetAutopilot", SetAutopilot.class, Boolean.class);

    public static final Method<Ask, ServersHealth> HEALTH =
            new Method<>("Operator.Health", Ask.class, ServersHealth.class);

    private OperatorCalls() {}

    public record Ask() {}

    /** A member of the group. */
    public record RaftServer(
            String id,
            String node,
            String address,
            boolean leader,
            String protocolVersion,
            boolean voter) {}

    /**
     * @param index always 0, as Consul's is
     */
    public record RaftServers(List<RaftServer> servers, long index) {}

    /** By node id (or raft id) or by address; the other is empty. */
    public record RemovePeer(String id, String address) {}

    /**
     * @param id node id of who shall lead; empty for any
     */
    public record Transfer(String id) {}

    /**
     * @param cas the ModifyIndex that the writer has seen; of account only when {@code conditional}
     */
    public record SetAutopilot(AutopilotConfig config, boolean conditional, long cas) {}

    /**
     * @param failureTolerance how many healthy voters may fail before a quorum is lost
     */
    public record ServersHealth(
            boolean healthy, int failureTolerance, List<ServerHealth> servers) {}

    /**
     * @param status what gossip says: alive, leaving, left, failed, none
     * @param stableSince when its health changed last; RFC 3339
     */
    public record ServerHealth(
            String id,
            String name,
            String address,
            String status,
            String version,
            boolean leader,
            boolean voter,
            Duration lastContact,
            long lastTerm,
            long lastIndex,
            boolean healthy,
            String stableSince,
            SortedMap<String, String> meta) {}
}
