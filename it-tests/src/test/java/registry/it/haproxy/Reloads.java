package registry.it.haproxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.core.ConditionTimeoutException;
import registry.it.Ports;
import registry.it.haproxy.Site.Instance;

/** Changes of structure, and restarts of HAProxy that the companion has nothing to do with. */
record Reloads(Site site, SplittableRandom random) {
    private static final int MOST_EXTRAS = 6;
    private static final int REQUESTS = 60;

    /**
     * How many bursts ended with what was written last.
     *
     * @param reloads of the master, for all of them
     */
    record Bursts(List<String> wrong, int reloads, int failed, String failures) {}

    /** Each: two to six new inputs within 0 to 120 ms of one another, each with a SIGHUP. */
    Bursts bursts(int count, int rate) {
        int[] ports = Ports.free(MOST_EXTRAS);
        List<String> wrong = new ArrayList<>();
        int before = site.haproxy().reloads();
        try (var load = new OpenLoop(site.front(), rate)) {
            for (int burst = 1; burst <= count; burst++) {
                Map<String, Integer> extras = new LinkedHashMap<>();
                for (int steps = random.nextInt(2, 7); steps > 0; steps--) {
                    extras = extras(ports);
                    site.input(input(extras));
                    site.hangUpCompanion();
                    LockSupport.parkNanos(random.nextLong(120_000_000));
                }
                if (!arrives(extras)) {
                    wrong.add(
                            "burst %d: wanted %s, HAProxy has %s"
                                    .formatted(burst, extras.keySet(), site.haproxy().proxies()));
                }
            }
            load.stop();
            return new Bursts(
                    wrong,
                    site.haproxy().reloads() - before,
                    load.failed(),
                    load.failures().toString());
        }
    }

    private Map<String, Integer> extras(int[] ports) {
        Map<String, Integer> extras = new LinkedHashMap<>();
        for (int port : ports) {
            if (random.nextBoolean()) {
                extras.put("extra-%d-%d".formatted(port, random.nextInt(3)), port);
            }
        }
        return extras;
    }

    private String input(Map<String, Integer> extras) {
        var services = new StringBuilder(site.webService(""));
        extras.forEach((key, port) ->
                services.append(Site.serviceEntry(key, port, "service: web\ncheck: {path: /}")));
        return services.toString();
    }

    /** In step with this input, and every service answers. */
    private boolean arrives(Map<String, Integer> extras) {
        var wanted = new TreeSet<>(extras.keySet());
        wanted.add(Site.WEB);
        try {
            Site.await(() -> frontends().equals(wanted) && site.isInStep());
            return extras.values().stream().allMatch(port -> OpenLoop.send(local(port), 0).isGood())
                    && frontends().equals(wanted);
        } catch (ConditionTimeoutException e) {
            return false;
        }
    }

    private TreeSet<String> frontends() {
        var names = new TreeSet<String>();
        site.haproxy()
                .proxies()
                .forEach(proxy -> {
                    if (proxy.endsWith("/FRONTEND")) {
                        names.add(proxy.substring(0, proxy.indexOf('/')));
                    }
                });
        return names;
    }

    /** What is there when HAProxy alone is killed and started. */
    enum Present {
        ALL,
        NO_REGISTRY,
        NOBODY
    }

    /**
     * Replaces an instance, kills HAProxy, starts it by hand, and returns what was wrong with its
     * first answers.
     */
    List<String> restartHaproxy(Present present) {
        Instance old = site.instances().getFirst();
        Instance fresh = site.startBackend();
        site.register(fresh);
        site.deregister(old);
        site.awaitServing();
        Site.await(() ->
                site.configText().contains(":" + fresh.port() + " id")
                        && !site.configText().contains(":" + old.port() + " id"));
        old.process().destroyForcibly();
        if (present != Present.ALL) {
            site.agent().kill();
        }
        if (present == Present.NOBODY) {
            site.killCompanion();
        }
        site.killHaproxy();
        site.startHaproxy();
        List<String> wrong = firstAnswers();
        if (present == Present.NOBODY) {
            site.startCompanion();
        }
        if (present != Present.ALL) {
            site.agent().restart();
        }
        site.awaitServing();
        return wrong;
    }

    private List<String> firstAnswers() {
        var wanted = new TreeSet<String>();
        site.instances().forEach(instance -> wanted.add(instance.id()));
        var seen = new TreeSet<String>();
        List<String> wrong = new ArrayList<>();
        InetSocketAddress front = local(site.front());
        OpenLoop.Sample[] first = new OpenLoop.Sample[1];
        Site.await(() -> {
            first[0] = OpenLoop.send(front, System.nanoTime());
            return !first[0].failure().equals("refused");
        });
        OpenLoop.Sample sample = first[0];
        for (int number = 1; number <= REQUESTS; number++) {
            if (!sample.isGood()) {
                wrong.add("request " + number + ": " + sample.failure());
            } else if (!wanted.contains(sample.text())) {
                wrong.add("request " + number + ": by " + sample.text());
            }
            seen.add(sample.text());
            sample = OpenLoop.send(front, System.nanoTime());
        }
        wanted.removeAll(seen);
        wanted.forEach(silent -> wrong.add("none by " + silent));
        return wrong;
    }

    private static InetSocketAddress local(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }
}
