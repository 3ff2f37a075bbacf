package registry.haproxy;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.client.BlockingQuery;
import registry.api.client.RegistryClient;
import registry.haproxy.RendererConfig.Selection;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * One blocking query per service, each on a virtual thread; its answers go to {@link DesiredState},
 * and the engine is woken.
 */
final class Watches implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Watches.class);
    private static final int MOST_TOLD = 20;

    private final DesiredState desired;
    private final Engine engine;
    private final Map<String, Watch> watches = new HashMap<>();
    private List<RegistryClient> clients = List.of();

    private record Watch(ServiceConfig service, Thread thread) {}

    Watches(DesiredState desired, Engine engine) {
        this.desired = desired;
        this.engine = engine;
    }

    /** Follows the services of {@code config} and no others. */
    synchronized void follow(RendererConfig config) {
        List<RegistryClient> old = clients;
        clients = clients(config);
        List<Watch> ended = new ArrayList<>(watches.values());
        watches.clear();
        ended.forEach(watch -> watch.thread().interrupt());
        NameResolver names = new NameResolver(config.resolveNames());
        for (ServiceConfig service : config.services()) {
            var query =
                    new BlockingQuery(
                            clients,
                            path(service),
                            config.waitTime(),
                            new SplittableRandom(),
                            new Listener(service, names));
            Thread thread = Thread.ofVirtual().name("watch-" + service.key()).start(query);
            watches.put(service.key(), new Watch(service, thread));
        }
        old.forEach(RegistryClient::close);
    }

    static List<RegistryClient> clients(RendererConfig config) {
        List<RegistryClient> made = new ArrayList<>();
        for (URI agent : config.agents()) {
            made.add(new RegistryClient(agent, config.token()));
        }
        return List.copyOf(made);
    }

    /**
     * Never {@code passing}: an instance in maintenance is not, and yet it has to be known to be
     * drained. The sifting is ours.
     */
    static String path(ServiceConfig service) {
        Selection wanted = service.selection();
        var path = new StringBuilder("/v1/health/service/").append(encode(wanted.service()));
        List<String> query = new ArrayList<>();
        wanted.tags().forEach(tag -> query.add("tag=" + encode(tag)));
        wanted.nodeMeta()
                .forEach((key, value) -> query.add("node-meta=" + encode(key + ":" + value)));
        if (wanted.datacenter() != null) {
            query.add("dc=" + encode(wanted.datacenter()));
        }
        return path.append(query.isEmpty() ? "" : "?" + String.join("&", query)).toString();
    }

    /** Asks once, without waiting for a change, the first agent that answers. */
    static HealthAnswer once(
            List<RegistryClient> clients, ServiceConfig service, NameResolver names)
            throws IOException, InterruptedException {
        IOException failure = null;
        for (RegistryClient client : clients) {
            try {
                RegistryClient.Answer answer = client.get(path(service), Duration.ofSeconds(10));
                if (answer.isOk()) {
                    return HealthAnswer.parse(answer.body(), service, names);
                }
                failure =
                        new IOException(
                                client.agent()
                                        + ": status "
                                        + answer.status()
                                        + ": "
                                        + Printable.of(answer.text()));
            } catch (IOException e) {
                failure = new IOException(client.agent() + ": " + e.getMessage(), e);
            }
        }
        throw failure == null ? new IOException("no agent to ask") : failure;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public synchronized void close() {
        watches.values().forEach(watch -> watch.thread().interrupt());
        watches.clear();
        clients.forEach(RegistryClient::close);
        clients = List.of();
    }

    private final class Listener implements BlockingQuery.Listener {
        private final ServiceConfig service;
        private final NameResolver names;
        private boolean failing;
        private List<Skipped> skipped = List.of();

        Listener(ServiceConfig service, NameResolver names) {
            this.service = service;
            this.names = names;
        }

        @Override
        public void answered(URI agent, RegistryClient.Answer answer) {
            HealthAnswer health;
            try {
                health = HealthAnswer.parse(answer.body(), service, names);
            } catch (IOException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
            if (failing) {
                LOG.info("service={} agent={} answers again", service.key(), agent);
                failing = false;
            }
            if (!health.skipped().equals(skipped)) {
                tellNew(health.skipped());
                skipped = health.skipped();
            }
            if (desired.answered(service, agent, health)) {
                engine.wake(service.key());
            }
        }

        /** Each is told once while it lasts, and of very many only the first. */
        private void tellNew(List<Skipped> now) {
            Set<Skipped> news = new LinkedHashSet<>(now);
            skipped.forEach(news::remove);
            news.stream()
                    .limit(MOST_TOLD)
                    .forEach(one ->
                            LOG.warn(
                                    "service={} skipped instance={}: {}",
                                    service.key(),
                                    one.name(),
                                    one.why()));
            if (news.size() > MOST_TOLD) {
                int more = news.size() - MOST_TOLD;
                LOG.warn("service={} skipped {} more instances, see status", service.key(), more);
            }
        }

        @Override
        public void failed(URI agent, String why) {
            if (!failing) {
                LOG.warn(
                        "service={} agent={} cannot be asked, keeping what is known: {}",
                        service.key(),
                        agent,
                        Printable.of(why));
                failing = true;
            }
            desired.failed(service, agent, Printable.of(why));
        }
    }
}
