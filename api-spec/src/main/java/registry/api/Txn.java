package registry.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import registry.api.json.Unsigned;

/**
 * Steps that are done all or none. Source: developer.hashicorp.com/consul/api-docs/txn
 *
 * @param ops in the order in which they are done
 */
public record Txn(List<Op> ops) {
    public Txn {
        ops = List.copyOf(ops);
    }

    /** Whether any step changes anything; if none does, the transaction is a read. */
    public boolean writes() {
        return ops.stream().anyMatch(Op::writes);
    }

    /** One step: at most one member is set; one without does nothing. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Op(
            @JsonProperty("KV") @Nullable Kv kv,
            @Nullable OfNode node,
            @Nullable OfService service,
            @Nullable OfCheck check) {
        private static final Set<String> KV_WRITES =
                Set.of("set", "cas", "lock", "unlock", "delete", "delete-tree", "delete-cas");
        private static final Set<String> WRITES = Set.of("set", "cas", "delete", "delete-cas");

        /** One with an unknown verb doesn't. */
        boolean writes() {
            return kv != null && KV_WRITES.contains(kv.verb)
                    || node != null && WRITES.contains(node.verb)
                    || service != null && WRITES.contains(service.verb)
                    || check != null && WRITES.contains(check.verb);
        }
    }

    /**
     * What is done with a key.
     *
     * @param verb as Consul spells it, such as {@code delete-tree}; whoever does it knows which
     *     there are
     * @param index what the verbs that compare compare with
     */
    public record Kv(
            String verb,
            String key,
            byte @Nullable [] value,
            @JsonSerialize(using = Unsigned.Writer.class)
                    @JsonDeserialize(using = Unsigned.Reader.class)
                    long flags,
            @JsonSerialize(using = Unsigned.Writer.class)
                    @JsonDeserialize(using = Unsigned.Reader.class)
                    long index,
            String session) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Kv that
                    && verb.equals(that.verb)
                    && key.equals(that.key)
                    && Arrays.equals(value, that.value)
                    && flags == that.flags
                    && index == that.index
                    && session.equals(that.session);
        }

        @Override
        public int hashCode() {
            return 31 * verb.hashCode() + key.hashCode();
        }
    }

    /** What is done with a node; verbs that compare do so with its ModifyIndex. */
    public record OfNode(String verb, Node node) {}

    /**
     * What is done with an instance; verbs that compare do so with its ModifyIndex.
     *
     * @param node the name of the node that carries it
     */
    public record OfService(String verb, String node, NodeService service) {}

    /** What is done with a check; verbs that compare do so with its ModifyIndex. */
    public record OfCheck(String verb, HealthCheck check) {}
}
