package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.config.WatchDefinition;
import registry.api.client.RegistryClient;

/**
 * The watches of an agent's configuration, each on a virtual thread that asks the agent's own HTTP
 * API. A handler that fails is logged and called again at the next change. Its lock guards the list
 * only.
 */
public final class Watches implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Watches.class);
    private static final Duration GOODBYE = Duration.ofSeconds(2);

    private final URI agent;
    private List<Running> running = List.of();

    /** A watch and the thread it runs on. */
    private record Running(WatchDefinition definition, Thread thread) {}

    /**
     * @param agent the agent's own HTTP address
     */
    public Watches(URI agent) {
        this.agent = agent;
    }

    public void start(List<WatchDefinition> definitions) {
        reload(definitions);
    }

    /**
     * Ends watches that are gone or have changed and starts new ones; unchanged ones go on
     * undisturbed.
     */
    public synchronized void reload(List<WatchDefinition> definitions) {
        var old = new ArrayList<>(running);
        var next = new ArrayList<Running>();
        for (WatchDefinition definition : definitions) {
            next.add(take(old, definition));
        }
        old.forEach(watch -> watch.thread().interrupt());
        running = List.copyOf(next);
    }

    /** The running watch of this definition, or a new one. */
    private Running take(List<Running> old, WatchDefinition definition) {
        for (Running watch : old) {
            if (watch.definition().equals(definition)) {
                old.remove(watch);
                return watch;
            }
        }
        Thread thread =
                Thread.ofVirtual().name("watch-" + definition.type()).start(() -> run(definition));
        return new Running(definition, thread);
    }

    private void run(WatchDefinition definition) {
        JsonNode parameters = definition.parameters();
        String token = parameters.path("token").asText("");
        Map<String, String> headers = token.isEmpty() ? Map.of() : Map.of("X-Consul-Token", token);
        WatchHandler handler = handler(definition);
        try (var client = RegistryClient.shortLived(agent, headers)) {
            new WatchLoop(
                            definition,
                            client,
                            (index, result) -> handle(definition, handler, index, result),
                            (e, retry) ->
                                    log.error(
                                            "Watch errored: type={} error=\"{}\" retry={}s",
                                            definition.type(),
                                            e.getMessage(),
                                            retry.toSeconds()))
                    .run();
        } catch (IOException e) {
            log.error("Watch ended: type={} error=\"{}\"", definition.type(), e.getMessage());
        } catch (InterruptedException e) {
            log.debug("Watch stopped: type={}", definition.type());
        }
    }

    private static boolean handle(
            WatchDefinition definition, WatchHandler handler, long index, JsonNode result)
            throws InterruptedException {
        try {
            handler.handle(index, result);
        } catch (IOException e) {
            log.error(
                    "Failed to run watch handler: type={} error=\"{}\"",
                    definition.type(),
                    e.getMessage());
        }
        return true;
    }

    private static WatchHandler handler(WatchDefinition definition) {
        JsonNode parameters = definition.parameters();
        if (parameters.path("handler_type").asText("").equals("http")) {
            return new HttpHandler(parameters.path("http_handler_config"));
        }
        List<String> command;
        if (parameters.has("handler")) {
            command = ScriptHandler.inShell(parameters.path("handler").asText());
        } else {
            command = parameters.path("args").valueStream().map(JsonNode::asText).toList();
        }
        return ScriptHandler.capturing(
                command,
                output ->
                        log.debug(
                                "Watch handler output: type={} output=\"{}\"",
                                definition.type(),
                                output.strip()));
    }

    /** Ends all watches and waits a moment for their handlers to be gone. */
    @Override
    public void close() {
        List<Running> ending;
        synchronized (this) {
            ending = running;
            running = List.of();
        }
        ending.forEach(watch -> watch.thread().interrupt());
        try {
            for (Running watch : ending) {
                watch.thread().join(GOODBYE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
