package registry.agent.local;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.AgentService;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.NodeService;
import registry.api.json.Json;

/** Definitions in the shapes that others see: the agent's API, the catalogue. */
final class Views {
    private Views() {}

    static AgentService agentService(ServiceDefinition service, String datacenter) {
        return new AgentService(
                service.kind(),
                service.id(),
                service.name(),
                service.tags(),
                service.meta(),
                service.port(),
                service.address(),
                Addresses.tagged(service),
                service.weights(),
                service.enableTagOverride(),
                null,
                datacenter);
    }

    static AgentService withTags(AgentService s, List<String> tags) {
        return new AgentService(
                s.kind(),
                s.id(),
                s.service(),
                tags,
                s.meta(),
                s.port(),
                s.address(),
                s.taggedAddresses(),
                s.weights(),
                s.enableTagOverride(),
                s.contentHash(),
                s.datacenter());
    }

    /**
     * With a hash that changes when anything of the definition does: 16 hex digits, the same after
     * a restart.
     */
    static AgentService withHash(AgentService s) {
        return new AgentService(
                s.kind(),
                s.id(),
                s.service(),
                s.tags(),
                s.meta(),
                s.port(),
                s.address(),
                s.taggedAddresses(),
                s.weights(),
                s.enableTagOverride(),
                hash(Json.write(s)),
                s.datacenter());
    }

    private static String hash(byte[] json) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(json);
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As it is registered in the catalogue; indexes 0. */
    static NodeService nodeService(AgentService s) {
        return new NodeService(
                s.kind(),
                s.id(),
                s.service(),
                s.tags(),
                s.address(),
                orNull(s.taggedAddresses()),
                orNull(s.meta()),
                s.port(),
                s.weights(),
                s.enableTagOverride(),
                0,
                0);
    }

    /** Whether the catalogue has this service as it is here; absent and empty maps are the same. */
    static boolean same(AgentService ours, NodeService theirs) {
        NodeService own = nodeService(ours);
        return own.kind().equals(Objects.requireNonNullElse(theirs.kind(), ""))
                && own.id().equals(theirs.id())
                && own.service().equals(theirs.service())
                && own.tags().equals(Objects.requireNonNullElse(theirs.tags(), List.of()))
                && own.address().equals(theirs.address())
                && sameMap(own.taggedAddresses(), theirs.taggedAddresses())
                && sameMap(own.meta(), theirs.meta())
                && own.port() == theirs.port()
                && own.weights().equals(theirs.weights())
                && own.enableTagOverride() == theirs.enableTagOverride();
    }

    /**
     * Whether the catalogue has this check as it is here. Name and tags of the service are derived
     * by the servers.
     *
     * @param ignoreOutput while a change of it alone is waiting
     */
    static boolean same(HealthCheck ours, HealthCheck theirs, boolean ignoreOutput) {
        return ours.checkId().equals(theirs.checkId())
                && ours.name().equals(theirs.name())
                && ours.status().equals(theirs.status())
                && ours.notes().equals(theirs.notes())
                && (ignoreOutput || ours.output().equals(theirs.output()))
                && ours.serviceId().equalsIgnoreCase(theirs.serviceId())
                && ours.type().equals(theirs.type());
    }

    static <V> boolean sameMap(@Nullable SortedMap<String, V> a, @Nullable SortedMap<String, V> b) {
        SortedMap<String, V> none = Collections.emptySortedMap();
        return Objects.requireNonNullElse(a, none).equals(Objects.requireNonNullElse(b, none));
    }

    private static <V> @Nullable SortedMap<String, V> orNull(@Nullable SortedMap<String, V> map) {
        return map == null || map.isEmpty() ? null : map;
    }

    /** A check as the API shows it, in the given state. */
    static HealthCheck healthCheck(
            CheckDefinition check,
            String node,
            String status,
            String output,
            String serviceName,
            List<String> serviceTags) {
        return new HealthCheck(
                node,
                check.id(),
                check.name(),
                status,
                check.notes(),
                output,
                check.serviceId(),
                serviceName,
                serviceTags,
                CheckIds.isMaintenance(check.id()) ? "maintenance" : check.type(),
                HealthCheckDefinition.NONE,
                0,
                0);
    }

    static HealthCheck withResult(HealthCheck c, String status, String output) {
        return new HealthCheck(
                c.node(),
                c.checkId(),
                c.name(),
                status,
                c.notes(),
                output,
                c.serviceId(),
                c.serviceName(),
                c.serviceTags(),
                c.type(),
                c.definition(),
                0,
                0);
    }

    static HealthCheck withService(HealthCheck c, String serviceName, List<String> serviceTags) {
        return new HealthCheck(
                c.node(),
                c.checkId(),
                c.name(),
                c.status(),
                c.notes(),
                c.output(),
                c.serviceId(),
                serviceName,
                serviceTags,
                c.type(),
                c.definition(),
                0,
                0);
    }
}
