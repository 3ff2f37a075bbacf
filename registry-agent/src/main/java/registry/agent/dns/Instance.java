package registry.agent.dns;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import registry.api.HealthCheck;
import registry.api.ServiceEntry;
import registry.api.Weights;

/**
 * A healthy instance, as far as it can be prepared before somebody asks.
 *
 * @param tags in lower case
 * @param targetName what SRV answers name
 * @param extras what belongs to an SRV answer: addresses of its target, metadata of its node
 */
record Instance(
        Target target,
        int port,
        int weight,
        boolean passing,
        Set<String> tags,
        Name targetName,
        List<Record> extras) {

    /**
     * Null when it is critical, or nothing that DNS could name.
     *
     * @param zone {@code DATACENTER.DOMAIN}
     */
    static @Nullable Instance of(ServiceEntry entry, String zone, long ttl, boolean metaTxt) {
        boolean critical =
                entry.checks().stream()
                        .anyMatch(check -> check.status().equals(HealthCheck.CRITICAL));
        return critical ? null : ofHealthy(entry, zone, ttl, metaTxt);
    }

    /** The same for one that somebody else takes for healthy. */
    static @Nullable Instance ofHealthy(
            ServiceEntry entry, String zone, long ttl, boolean metaTxt) {
        boolean passing =
                entry.checks().stream()
                        .allMatch(check -> check.status().equals(HealthCheck.PASSING));
        boolean own = !entry.service().address().isEmpty();
        Target target = Target.of(own ? entry.service().address() : entry.node().address());
        if (target == null) {
            return null;
        }
        Name nodeName = own ? null : Names.of(entry.node().node(), "node", zone);
        Name targetName =
                nodeName != null
                        ? nodeName
                        : target.ip() == null
                                ? target.host()
                                : Names.of(Names.hex(target.ip()), "addr", zone);
        if (targetName == null) {
            return null;
        }
        var extras = new ArrayList<Record>();
        if (target.ip() != null) {
            extras.add(Target.address(targetName, ttl, target.ip()));
        }
        if (nodeName != null && metaTxt) {
            extras.addAll(Target.texts(nodeName, ttl, entry.node().meta()));
        }
        Weights weights = entry.service().weights();
        return new Instance(
                target,
                entry.service().port() & 0xffff,
                Math.clamp(passing ? weights.passing() : weights.warning(), 0, 0xffff),
                passing,
                entry.service().tags().stream()
                        .map(tag -> tag.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toUnmodifiableSet()),
                targetName,
                List.copyOf(extras));
    }
}
