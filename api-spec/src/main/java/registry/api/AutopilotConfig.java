package registry.api;

import java.time.Duration;

/**
 * What the servers may do by themselves to their own group. The last three members before the
 * indexes are kept and shown, and have no effect. Source: consul-api 3.11
 *
 * @param cleanupDeadServers a voter that has been dead for long is removed
 * @param lastContactThreshold a server that was heard less recently is not healthy
 * @param maxTrailingLogs a server that lags by more entries is not healthy
 * @param minQuorum never remove a voter when fewer than so many would remain
 * @param serverStabilizationTime kept and shown: newcomers vote as soon as they have caught up
 */
public record AutopilotConfig(
        boolean cleanupDeadServers,
        Duration lastContactThreshold,
        long maxTrailingLogs,
        long minQuorum,
        Duration serverStabilizationTime,
        String redundancyZoneTag,
        boolean disableUpgradeMigration,
        String upgradeVersionTag,
        long createIndex,
        long modifyIndex) {
    public static final AutopilotConfig DEFAULT =
            new AutopilotConfig(
                    true,
                    Duration.ofMillis(200),
                    250,
                    0,
                    Duration.ofSeconds(10),
                    "",
                    false,
                    "",
                    0,
                    0);

    /** The same with other indexes. */
    public AutopilotConfig at(long created, long modified) {
        return new AutopilotConfig(
                cleanupDeadServers,
                lastContactThreshold,
                maxTrailingLogs,
                minQuorum,
                serverStabilizationTime,
                redundancyZoneTag,
                disableUpgradeMigration,
                upgradeVersionTag,
                created,
                modified);
    }
}
