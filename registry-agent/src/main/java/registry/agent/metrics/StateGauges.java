package registry.agent.metrics;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.json.Json;
import registry.server.rpc.Asked;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/** How many rows this server's state has. */
public final class StateGauges implements Metrics.Gauges {
    private static final long PATIENCE_MILLIS = 1_000;
    private static final Question COUNTS =
            new Question(
                    Question.INTERNAL_COUNTS, "", Map.of(), Consistency.STALE, 0, Duration.ZERO);

    /** From Consul's names to those of the answer. */
    private static final List<Map.Entry<String, String>> NAMES =
            List.of(
                    Map.entry("state.kv_entries", "KvEntries"),
                    Map.entry("state.nodes", "Nodes"),
                    Map.entry("state.service_instances", "ServiceInstances"),
                    Map.entry("state.services", "Services"));

    private final Servers server;
    private final String datacenter;

    /**
     * @param server this agent's own
     */
    public StateGauges(Servers server, String datacenter) {
        this.server = server;
        this.datacenter = datacenter;
    }

    /** Nothing is shown while the state is not known. */
    @Override
    public void read(Sink sink) {
        try (Asked asked = Asked.of(server, COUNTS)) {
            Reply reply = asked.answer().get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            JsonNode counts = Json.tree(reply.body());
            NAMES.forEach(name ->
                    sink.put(
                            name.getKey(),
                            counts.path(name.getValue()).asDouble(),
                            "datacenter",
                            datacenter));
        } catch (ExecutionException | TimeoutException e) {
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
