package registry.agent.check;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.json.Json;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * An alias of another node or of a service there: a held question to the servers, repeated for ever
 * on its own virtual thread.
 */
final class RemoteAlias implements CheckScheduler.Job {
    private static final Duration HOLD = Duration.ofMinutes(5);

    /** However fast the node's checks change, this is as often as it is looked at. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(10);

    private final String node;
    private final String service;
    private final Servers servers;
    private final Consumer<CheckResult> listener;
    private final Thread thread;

    RemoteAlias(String node, String service, Servers servers, Consumer<CheckResult> listener) {
        this.node = node;
        this.service = service;
        this.servers = servers;
        this.listener = listener;
        this.thread = Thread.ofVirtual().name("alias-" + node).unstarted(this::follow);
    }

    RemoteAlias start() {
        thread.start();
        return this;
    }

    private void follow() {
        long index = 0;
        try {
            while (!Thread.interrupted()) {
                try {
                    Reply reply = ask(Question.HEALTH_NODE, index);
                    index = reply.index() < index ? 0 : reply.index();
                    listener.accept(judge(reply));
                    Thread.sleep(PAUSE);
                } catch (ApiException e) {
                    index = 0;
                    listener.accept(
                            CheckResult.critical(
                                    "Failure checking aliased node or service: " + e.text()));
                    Thread.sleep(PAUSE_AFTER_FAILURE);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private CheckResult judge(Reply reply) throws InterruptedException {
        List<HealthCheck> checks = List.of(Json.read(reply.body(), HealthCheck[].class));
        boolean exists =
                checks.stream().anyMatch(check -> check.serviceId().equalsIgnoreCase(service))
                        || !service.isEmpty() && isRegistered();
        return AliasCheck.judge(node, service, checks, exists);
    }

    private boolean isRegistered() throws InterruptedException {
        JsonNode services =
                Json.tree(ask(Question.CATALOG_NODE_SERVICES, 0).body()).path("Services");
        for (JsonNode candidate : services) {
            if (candidate.path("ID").asText().equalsIgnoreCase(service)) {
                return true;
            }
        }
        return false;
    }

    private Reply ask(String method, long index) throws InterruptedException {
        return Ask.await(
                servers, new Question(method, node, Map.of(), Consistency.DEFAULT, index, HOLD));
    }

    @Override
    public void stop() {
        thread.interrupt();
    }
}
