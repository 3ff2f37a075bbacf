package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.json.Json;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/** {@code /v1/txn}: steps that are done all or none. Source: consul-api 3.9. */
final class TxnRoutes {
    private final Servers servers;
    private final AgentConfig config;

    TxnRoutes(Servers servers, AgentConfig config) {
        this.servers = servers;
        this.config = config;
    }

    void addTo(RouteTable.Builder table) {
        table.write(
                "PUT", "/v1/txn", this::apply, Trait.NAMESPACED, Trait.DATACENTER, Trait.TXN_BODY);
    }

    private Servers.@Nullable Held apply(Request request, Consumer<Answer> then) {
        ReadOptions options = ReadOptions.of(request, config, false);
        Txn txn = new Txn(ops(request));
        txn.ops().forEach(this::refuseTooLarge);
        if (txn.writes()) {
            TxnResult result = servers.call(Method.TXN_APPLY, txn);
            then.accept(answer(request, result));
            return null;
        }
        var question =
                new Question(
                        Question.TXN_READ,
                        new String(Json.write(txn), UTF_8),
                        Map.of(),
                        options.consistency(),
                        0,
                        Duration.ZERO);
        return servers.ask(question, new Reading(request, then));
    }

    private List<Txn.Op> ops(Request request) {
        List<Txn.Op> ops;
        try {
            ops = Definitions.txn(request.body());
        } catch (ApiException e) {
            throw ApiException.badRequest(
                    e.text().replaceFirst("^Request decode failed: ", "Failed to parse body: "));
        }
        int most = config.limits().txnMaxOps();
        if (ops.size() > most) {
            throw new ApiException(
                    ApiException.Kind.TOO_LARGE,
                    "Transaction contains too many operations (%d > %d)"
                            .formatted(ops.size(), most));
        }
        return ops;
    }

    private void refuseTooLarge(Txn.Op op) {
        int most = config.limits().kvMaxValueSize();
        if (op.kv() != null && op.kv().value() != null && op.kv().value().length > most) {
            throw new ApiException(
                    ApiException.Kind.TOO_LARGE,
                    "Value for key \"%s\" is too large (%d > %d bytes)"
                            .formatted(op.kv().key(), op.kv().value().length, most));
        }
    }

    /** As JSON; here, and only here, Consul says null of tags that are not there. */
    private static ObjectNode shown(TxnResult result) {
        var shown = (ObjectNode) Json.tree(Json.write(result));
        for (JsonNode row : shown.path("Results")) {
            dropEmpty(row.path("Service"), "Tags");
            dropEmpty(row.path("Check"), "ServiceTags");
        }
        return shown;
    }

    private static void dropEmpty(JsonNode row, String list) {
        if (row instanceof ObjectNode object && object.path(list).isEmpty()) {
            object.putNull(list);
        }
    }

    /** Of keys alone there is nothing to be shown otherwise than it is. */
    private static Answer answer(Request request, TxnResult result) {
        boolean keysAlone =
                result.results() == null
                        || result.results().stream()
                                .allMatch(row -> row.service() == null && row.check() == null);
        Answer answer = Answer.json(request, keysAlone ? result : shown(result));
        return result.errors() == null ? answer : answer.withStatus(409);
    }

    /** Waits for the answer to a transaction that only reads. */
    private record Reading(Request request, Consumer<Answer> then) implements Servers.Listener {
        @Override
        public void answered(Reply reply) {
            TxnResult result = Json.read(reply.body(), TxnResult.class);
            ObjectNode shown = shown(result);
            shown.put("Index", 0);
            shown.put("LastContact", Duration.ofMillis(reply.lastContactMillis()).toNanos());
            shown.put("KnownLeader", reply.knownLeader());
            shown.put("ConsistencyLevel", "");
            shown.put("NotModified", false);
            Answer answer = Answer.json(request, shown);
            then.accept(
                    (result.errors() == null ? answer : answer.withStatus(409))
                            .with("X-Consul-Knownleader", String.valueOf(reply.knownLeader()))
                            .with(
                                    "X-Consul-Lastcontact",
                                    String.valueOf(reply.lastContactMillis())));
        }

        @Override
        public void failed(ApiException error) {
            then.accept(Answer.of(error));
        }
    }
}
