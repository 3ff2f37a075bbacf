package registry.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A question for healthy instances that is kept under an id and a name, so that it can be asked
 * again over HTTP and DNS.
 *
 * @param session the query goes with it; empty for none
 * @param token whose rights it is run with; empty for those of whoever runs it
 */
public record PreparedQuery(
        String id,
        String name,
        String session,
        String token,
        Template template,
        ServiceQuery service,
        Dns dns,
        long createIndex,
        long modifyIndex) {
    /**
     * How one query serves many names.
     *
     * @param type {@link #NAME_PREFIX_MATCH}, or empty for a query that is no template
     * @param regexp of RE2, whose groups {@code ${match(N)}} stands for; empty for none
     */
    public record Template(String type, String regexp, boolean removeEmptyTags) {
        public static final String NAME_PREFIX_MATCH = "name_prefix_match";
        static final Template NONE = new Template("", "", false);
    }

    /**
     * Which instances are wanted.
     *
     * @param ignoreCheckIds checks that do not count
     * @param near the node whose nearest come first, {@code _agent} or {@code _ip}; empty for any
     *     order
     * @param tags all of them, but none of those behind a {@code !}
     */
    public record ServiceQuery(
            String service,
            Failover failover,
            boolean onlyPassing,
            @Nullable List<String> ignoreCheckIds,
            String near,
            @Nullable List<String> tags,
            @Nullable Map<String, String> nodeMeta,
            @Nullable Map<String, String> serviceMeta,
            boolean connect) {
        static final ServiceQuery NONE =
                new ServiceQuery("", Failover.NONE, false, null, "", null, null, null, false);

        public ServiceQuery {
            failover = failover == null ? Failover.NONE : failover;
        }
    }

    /** Where else to look when there is no instance here. */
    public record Failover(int nearestN, @Nullable List<String> datacenters) {
        public static final Failover NONE = new Failover(0, null);
    }

    /**
     * What DNS does with the answer.
     *
     * @param ttl Go's text; empty for the service's own
     */
    public record Dns(String ttl) {
        static final Dns NONE = new Dns("");
    }

    public PreparedQuery {
        template = template == null ? Template.NONE : template;
        service = service == null ? ServiceQuery.NONE : service;
        dns = dns == null ? Dns.NONE : dns;
    }

    /** The same under an id. */
    public PreparedQuery withId(String other) {
        return new PreparedQuery(
                other, name, session, token, template, service, dns, createIndex, modifyIndex);
    }

    /** The same, created and changed at these indexes. */
    public PreparedQuery withIndexes(long created, long modified) {
        return new PreparedQuery(
                id, name, session, token, template, service, dns, created, modified);
    }

    /** The same for other instances. */
    public PreparedQuery withService(ServiceQuery other) {
        return new PreparedQuery(
                id, name, session, token, template, other, dns, createIndex, modifyIndex);
    }

    /** Whether it stands for all names that begin with its own. */
    @JsonIgnore
    public boolean isTemplate() {
        return !template.type.isEmpty();
    }
}
