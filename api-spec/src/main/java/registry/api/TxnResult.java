package registry.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a transaction: one of the two is null.
 *
 * @param results what the steps have read or written, in their order
 * @param errors why nothing has been done
 */
public record TxnResult(@Nullable List<Row> results, @Nullable List<Failure> errors) {
    /** One of them. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Row(
            @JsonProperty("KV") @Nullable KvPair kv,
            @Nullable Node node,
            @Nullable NodeService service,
            @Nullable HealthCheck check) {
        public static Row of(KvPair pair) {
            return new Row(pair, null, null, null);
        }

        public static Row of(Node node) {
            return new Row(null, node, null, null);
        }

        public static Row of(NodeService service) {
            return new Row(null, null, service, null);
        }

        public static Row of(HealthCheck check) {
            return new Row(null, null, null, check);
        }
    }

    /** Which step can't be done, counted from 0, and why. */
    public record Failure(int opIndex, String what) {}

    public static TxnResult done(List<Row> results) {
        return new TxnResult(List.copyOf(results), null);
    }

    public static TxnResult failed(List<Failure> errors) {
        return new TxnResult(null, List.copyOf(errors));
    }
}
