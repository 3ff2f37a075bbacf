package registry.agent.gossip;

import java.net.InetAddress;
import java.time.Duration;
import java.util.SortedMap;

/**
 * What a node says of itself and where it listens.
 *
 * @param bindAddress where the port is opened; the wildcard means every interface
 * @param advertiseAddress what the others are told
 * @param rpcPort port of the server, 0 on a client agent
 * @param reconnectTimeout after which a failed member is forgotten
 */
public record GossipConfig(
        String nodeId,
        String nodeName,
        boolean server,
        InetAddress bindAddress,
        InetAddress advertiseAddress,
        int port,
        int rpcPort,
        SortedMap<String, String> tags,
        Duration reconnectTimeout) {}
