package registry.it.haproxy;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import registry.it.Ports;

/** Many services with many instances, which come and go all the time; nobody listens there. */
record Scale(Site site, int services, int size) {
    // So many changes later an instance that went comes back.
    private static final int AWAY = 60;
    private static final Duration LONGEST_LAG = Duration.ofSeconds(10);

    /**
     * The cost and the lag of following.
     *
     * @param lagMillis from the registry's answer to HAProxy having it, change by change
     * @param residentMegabytes of the companion, at the end
     */
    record Outcome(
            List<Double> lagMillis,
            int lost,
            int reloads,
            double cpuPercent,
            double residentMegabytes) {
        @Override
        public String toString() {
            return "%d changes, %d lost, lag p50 %.0f p99 %.0f max %.0f ms, %d reloads, CPU %.1f %%, RSS %.0f MB"
                    .formatted(
                            lagMillis.size(),
                            lost,
                            Figures.share(lagMillis, 0.5),
                            Figures.share(lagMillis, 0.99),
                            Figures.max(lagMillis),
                            reloads,
                            cpuPercent,
                            residentMegabytes);
        }
    }

    Outcome follow(int perSecond, Duration time) {
        fill();
        awaitAll();
        // The way from the first answers to a steady state is no part of it.
        Awaitility.await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
        int reloads = site.haproxy().reloads();
        Duration cpu = site.companionFigures().cpu();
        long begun = System.nanoTime();
        Queue<Double> lags = new ConcurrentLinkedQueue<>();
        var lost = new AtomicInteger();
        int changes = (int) (perSecond * time.toSeconds());
        var done = new CountDownLatch(changes);
        var next = new AtomicInteger();
        try (var clock = Executors.newSingleThreadScheduledExecutor()) {
            clock.scheduleAtFixedRate(
                    () -> {
                        int number = next.getAndIncrement();
                        if (number < changes) {
                            Thread.startVirtualThread(() -> {
                                try {
                                    lags.add(change(number));
                                } catch (ConditionTimeoutException e) {
                                    lost.incrementAndGet();
                                } finally {
                                    done.countDown();
                                }
                            });
                        }
                    },
                    0,
                    1_000_000 / perSecond,
                    TimeUnit.MICROSECONDS);
            if (!done.await(time.toSeconds() * 3 + 30, TimeUnit.SECONDS)) {
                throw new IllegalStateException(done.getCount() + " changes are not done");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        double seconds = Figures.millisSince(begun) / 1e3;
        var figures = site.companionFigures();
        return new Outcome(
                List.copyOf(lags),
                lost.get(),
                site.haproxy().reloads() - reloads,
                figures.cpu().minus(cpu).toMillis() / 10.0 / seconds,
                figures.residentBytes() / 1e6);
    }

    private void fill() {
        int[] ports = Ports.free(services);
        var input = new StringBuilder(site.webService(""));
        for (int service = 0; service < services; service++) {
            input.append(
                    Site.serviceEntry(
                            name(service),
                            ports[service],
                            "check: {type: none}\nslots: " + 2 * size));
        }
        for (int instance = 0; instance < services * size; instance++) {
            put(instance);
        }
        site.change(input.toString());
    }

    private void awaitAll() {
        for (int service = 0; service < services; service++) {
            String name = name(service);
            try {
                Site.await(() -> site.haproxy().serving(name).size() == size);
            } catch (ConditionTimeoutException e) {
                throw new AssertionError(
                        name + ": " + site.haproxy().servers(name) + "\n" + site.logs(), e);
            }
        }
    }

    /** Even ones take an instance away, odd ones bring back the one that went ten changes ago. */
    private double change(int number) {
        boolean away = number % 2 == 0 || number < AWAY;
        int which = away ? number : number - AWAY + 1 - AWAY % 2;
        int instance = Math.floorMod(which * 7919, services * size);
        if (away) {
            remove(instance);
        } else {
            put(instance);
        }
        long begun = System.nanoTime();
        Awaitility.await()
                .pollInSameThread()
                .pollDelay(Duration.ofMillis(4))
                .pollInterval(Duration.ofMillis(6))
                .atMost(LONGEST_LAG)
                .until(() ->
                        site.haproxy().serving(name(instance / size)).contains(port(instance))
                                != away);
        return Figures.millisSince(begun);
    }

    private void put(int instance) {
        site.put(
                site.agent(),
                "/v1/catalog/register",
                """
                {"Node": "node-%d", "Address": "10.0.0.1", "SkipNodeUpdate": true,
                 "Service": {"ID": "%s-%d", "Service": "%s", "Address": "10.1.0.1", "Port": %d}}
                """
                        .formatted(
                                instance % 20,
                                name(instance / size),
                                instance,
                                name(instance / size),
                                port(instance)));
    }

    private void remove(int instance) {
        site.put(
                site.agent(),
                "/v1/catalog/deregister",
                "{\"Node\": \"node-%d\", \"ServiceID\": \"%s-%d\"}"
                        .formatted(instance % 20, name(instance / size), instance));
    }

    private static String name(int service) {
        return "many-" + service;
    }

    private static int port(int instance) {
        return 10_000 + instance;
    }
}
