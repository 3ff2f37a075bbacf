package registry.agent.gossip;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.seal.Keyring;

/**
 * What a node says of itself, where it listens and whom it looks for.
 *
 * @param bindAddress where the port is opened; the wildcard means every interface
 * @param advertiseAddress what the others are told
 * @param rpcPort port of the server, 0 on a client agent
 * @param reconnectTimeout after which a failed member is forgotten
 * @param startJoin of these one has to answer at the start
 * @param retryJoin looked for until they are found
 * @param retryMax attempts before giving up; 0 is never
 * @param rejoinAfterLeave the members of the last view are looked for after a graceful leave, too
 * @param memory file for the addresses of the last view; null keeps none
 * @param keyring what gossip is sealed with
 * @param distances who wants to know of round trips
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
        Duration reconnectTimeout,
        List<String> startJoin,
        List<String> retryJoin,
        Duration retryInterval,
        int retryMax,
        boolean rejoinAfterLeave,
        @Nullable Path memory,
        Keyring keyring,
        Distances distances) {}
