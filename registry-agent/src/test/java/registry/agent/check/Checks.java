package registry.agent.check;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import registry.agent.config.CheckDefinition;

/** Check definitions for tests. */
public final class Checks {
    private Checks() {}

    public static CheckDefinition ttl(String id, Duration ttl) {
        return of(id, "", List.of(), "", "", "", "", "", null, ttl, 0, 0, null, 0);
    }

    public static CheckDefinition ttl(String id, Duration ttl, String status) {
        return of(id, status, List.of(), "", "", "", "", "", null, ttl, 0, 0, null, 0);
    }

    public static CheckDefinition reaped(String id, Duration ttl, Duration after) {
        return of(id, "", List.of(), "", "", "", "", "", null, ttl, 0, 0, after, 0);
    }

    public static CheckDefinition sized(String id, Duration ttl, int outputMaxSize) {
        return of(id, "", List.of(), "", "", "", "", "", null, ttl, 0, 0, null, outputMaxSize);
    }

    public static CheckDefinition script(String id, Duration interval, String script) {
        return script(id, interval, script, 0, 0);
    }

    public static CheckDefinition script(
            String id, Duration interval, String script, int successes, int failures) {
        return of(
                id,
                "",
                List.of("/bin/sh", "-c", script),
                "",
                "",
                "",
                "",
                "",
                interval,
                null,
                successes,
                failures,
                null,
                0);
    }

    public static CheckDefinition tcp(String id, Duration interval, String address) {
        return of(id, "", List.of(), "", address, "", "", "", interval, null, 0, 0, null, 0);
    }

    public static CheckDefinition alias(String id, String node, String service) {
        return of(id, "", List.of(), "", "", "", node, service, null, null, 0, 0, null, 0);
    }

    /** The same check on a service that exists already. */
    public static CheckDefinition onService(CheckDefinition c, String serviceId) {
        return new CheckDefinition(
                c.id(),
                c.name(),
                c.notes(),
                serviceId,
                c.status(),
                c.token(),
                c.args(),
                c.shell(),
                c.dockerContainerId(),
                c.http(),
                c.method(),
                c.header(),
                c.body(),
                c.tlsSkipVerify(),
                c.tcp(),
                c.grpc(),
                c.grpcUseTls(),
                c.aliasNode(),
                c.aliasService(),
                c.interval(),
                c.timeout(),
                c.ttl(),
                c.successBeforePassing(),
                c.failuresBeforeCritical(),
                c.deregisterCriticalServiceAfter(),
                c.outputMaxSize());
    }

    private static CheckDefinition of(
            String id,
            String status,
            List<String> args,
            String http,
            String tcp,
            String grpc,
            String aliasNode,
            String aliasService,
            Duration interval,
            Duration ttl,
            int successes,
            int failures,
            Duration reapAfter,
            int outputMaxSize) {
        return new CheckDefinition(
                id,
                id.isEmpty() ? "" : id,
                "",
                "",
                status,
                "",
                args,
                "",
                "",
                http,
                "",
                Map.of(),
                "",
                false,
                tcp,
                grpc,
                false,
                aliasNode,
                aliasService,
                interval,
                null,
                ttl,
                successes,
                failures,
                reapAfter,
                outputMaxSize);
    }
}
