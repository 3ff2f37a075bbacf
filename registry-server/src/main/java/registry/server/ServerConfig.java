package registry.server;

import java.nio.file.Path;
import java.time.Duration;
import registry.server.session.SessionTtl;

/**
 * What a server has to know.
 *
 * @param dataDir the node's data directory; its RocksDB is shared with the agent
 * @param nodeId UUID of the node
 * @param address advertised address, with {@code rpcPort} the server's RPC address
 * @param bootstrapExpect servers that have to be known before the first election; 1 elects itself
 * @param snapshotBytes log bytes after which a snapshot is taken
 * @param tombstoneTtl how long deleted keys are remembered for blocking queries
 * @param sessionTtl bounds of the time sessions live
 */
public record ServerConfig(
        Path dataDir,
        String datacenter,
        String nodeName,
        String nodeId,
        String address,
        int rpcPort,
        int bootstrapExpect,
        int raftMultiplier,
        long snapshotBytes,
        Duration tombstoneTtl,
        SessionTtl sessionTtl) {}
