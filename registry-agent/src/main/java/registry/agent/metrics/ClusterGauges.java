package registry.agent.metrics;

import java.util.Map;
import java.util.SortedMap;
import java.util.function.Supplier;
import registry.agent.gossip.Membership;
import registry.api.Member;

/** Who is there, and where this server's log stands. */
public final class ClusterGauges implements Metrics.Gauges {
    /** From Consul's names to those of {@code registry info}. */
    private static final Map<String, String> RAFT =
            Map.of(
                    "raft.applied_index", "applied_index",
                    "raft.last_index", "last_log_index");

    private final Membership membership;
    private final Supplier<SortedMap<String, SortedMap<String, String>>> stats;
    private final String datacenter;

    /**
     * @param stats the sections of {@code registry info}
     */
    public ClusterGauges(
            Membership membership,
            Supplier<SortedMap<String, SortedMap<String, String>>> stats,
            String datacenter) {
        this.membership = membership;
        this.stats = stats;
        this.datacenter = datacenter;
    }

    @Override
    public void read(Sink sink) {
        var members = membership.members();
        sink.put("members.clients", alive(members, "node"), "datacenter", datacenter);
        sink.put("members.servers", alive(members, "consul"), "datacenter", datacenter);
        var sections = stats.get();
        SortedMap<String, String> raft = sections.get("raft");
        if (raft != null) {
            for (Map.Entry<String, String> name : RAFT.entrySet()) {
                String value = raft.get(name.getValue());
                if (value != null) {
                    sink.put(name.getKey(), Double.parseDouble(value));
                }
            }
        }
        SortedMap<String, String> consul = sections.get("consul");
        if (consul != null && "true".equals(consul.get("server"))) {
            sink.put("server.isLeader", "true".equals(consul.get("leader")) ? 1 : 0);
        }
    }

    private static long alive(Iterable<Member> members, String role) {
        long count = 0;
        for (Member member : members) {
            if (member.status() == Member.ALIVE && role.equals(member.tags().get("role"))) {
                count++;
            }
        }
        return count;
    }
}
