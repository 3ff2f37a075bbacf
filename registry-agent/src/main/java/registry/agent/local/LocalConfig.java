package registry.agent.local;

import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import registry.agent.config.AgentConfig;
import registry.api.Node;

/**
 * What the local state needs to know of the agent's configuration.
 *
 * @param node this node as it registers itself; indexes 0
 * @param checkUpdateInterval how long a change of output alone may wait before it is pushed, on
 *     average; 0: not at all
 * @param checkOutputMaxSize bytes of output kept of a check that does not say itself
 * @param discardCheckOutput outputs are dropped
 * @param scriptsFromApi whether the API may register checks that run programs
 * @param scriptsFromFiles whether files may
 */
public record LocalConfig(
        Node node,
        Duration checkUpdateInterval,
        int checkOutputMaxSize,
        boolean discardCheckOutput,
        boolean scriptsFromApi,
        boolean scriptsFromFiles) {

    /** The part of an agent's configuration that counts here, for a node of that id. */
    public static LocalConfig of(AgentConfig config, String nodeId) {
        return new LocalConfig(
                node(config, nodeId),
                config.checkUpdateInterval(),
                config.checkOutputMaxSize(),
                config.discardCheckOutput(),
                config.enableScriptChecks(),
                config.enableScriptChecks() || config.enableLocalScriptChecks());
    }

    private static Node node(AgentConfig config, String nodeId) {
        SortedMap<String, String> addresses = new TreeMap<>();
        tag(addresses, "lan", config.advertiseAddr());
        tag(addresses, "wan", config.advertiseAddrWan());
        addresses.putAll(config.taggedAddresses());
        SortedMap<String, String> meta = new TreeMap<>(config.nodeMeta());
        meta.put("consul-network-segment", "");
        return new Node(
                nodeId,
                config.nodeName(),
                config.advertiseAddr(),
                config.datacenter(),
                addresses,
                meta,
                0,
                0);
    }

    private static void tag(SortedMap<String, String> addresses, String network, String address) {
        addresses.put(network, address);
        if (Addresses.isIpv4(address)) {
            addresses.put(network + "_ipv4", address);
        } else if (Addresses.isIpv6(address)) {
            addresses.put(network + "_ipv6", address);
        }
    }
}
