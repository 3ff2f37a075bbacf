package registry.agent;

import java.util.SortedMap;
import java.util.TreeMap;
import registry.agent.config.AgentConfig;

/**
 * What a node says of itself in gossip: clients recognise servers by these tags. Source: consul-api
 * 3.5.
 */
final class MemberTags {
    private MemberTags() {}

    static SortedMap<String, String> of(AgentConfig config, String nodeId) {
        SortedMap<String, String> tags = new TreeMap<>();
        tags.put("acls", "0");
        tags.put("build", Version.CONSUL + ":");
        tags.put("dc", config.datacenter());
        tags.put("id", nodeId);
        tags.put("segment", "");
        tags.put("vsn", "2");
        tags.put("vsn_max", "3");
        tags.put("vsn_min", "2");
        if (config.server()) {
            tags.put("role", "consul");
            tags.put(
                    config.bootstrapExpect() == 1 ? "bootstrap" : "expect",
                    String.valueOf(config.bootstrapExpect()));
            tags.put("port", String.valueOf(config.ports().server()));
            tags.put("raft_vsn", "3");
            tags.put("ft_fs", "1");
            tags.put("ft_si", "1");
            tags.put("wan_join_port", String.valueOf(config.ports().serfWan()));
        } else {
            tags.put("role", "node");
        }
        return tags;
    }
}
