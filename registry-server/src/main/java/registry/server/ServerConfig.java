package registry.server;

import java.nio.file.Path;
import java.time.Duration;
import registry.api.AutopilotConfig;
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
 * @param autopilot its configuration while none was set
 * @param deadServerDelay how long a voter has to be dead before autopilot removes it
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
        AutopilotConfig autopilot,
        Duration deadServerDelay,
        SessionTtl sessionTtl) {
    /** With autopilot and sessions as they are by default. */
    public ServerConfig(
            Path dataDir,
            String datacenter,
            String nodeName,
            String nodeId,
            String address,
            int rpcPort,
            int bootstrapExpect,
            int raftMultiplier,
            long snapshotBytes,
            Duration tombstoneTtl) {
        this(
                dataDir,
                datacenter,
                nodeName,
                nodeId,
                address,
                rpcPort,
                bootstrapExpect,
                raftMultiplier,
                snapshotBytes,
                tombstoneTtl,
                AutopilotConfig.DEFAULT,
                Duration.ofHours(72),
                SessionTtl.CONSULS);
    }
}
