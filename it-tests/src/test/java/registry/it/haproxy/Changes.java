package registry.it.haproxy;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import registry.it.Ports;
import registry.it.haproxy.Site.Instance;

/** What comes and goes by intent, or by flapping. Each leaves three backends serving. */
record Changes(Site site) {
    /** How a change ended for the clients and for HAProxy. */
    record Outcome(int failed, String failures, int reloads) {
        static Outcome of(OpenLoop load, int reloads) {
            return new Outcome(load.failed(), load.failures().toString(), reloads);
        }
    }

    /** Milliseconds from registering a new instance to the end of the first request it serves. */
    double registerToFirstRequest(int rate) {
        try (var load = new OpenLoop(site.front(), rate)) {
            load.runFor(Duration.ofMillis(500));
            double millis = registerUnder(load);
            load.stop();
            return millis;
        }
    }

    double registerUnder(OpenLoop load) {
        Instance fresh = site.startBackend();
        try {
            long begun = System.nanoTime();
            site.register(fresh);
            double millis = millisToFirst(load, fresh, begun);
            site.deregister(fresh);
            Site.await(() -> !site.haproxy().serving(Site.WEB).contains(fresh.port()));
            return millis;
        } finally {
            fresh.process().destroyForcibly();
        }
    }

    private static double millisToFirst(OpenLoop load, Instance instance, long begun) {
        Site.await(() -> load.firstFrom(instance.id(), begun).isPresent());
        OptionalLong first = load.firstFrom(instance.id(), begun);
        return (first.orElseThrow() - begun) / 1e6;
    }

    /**
     * Replaces all backends one by one; drained, an old one ends when nobody is connected to it any
     * more, otherwise it is killed while it still serves.
     */
    Outcome replaceAll(int rate, boolean drained) {
        int before = site.haproxy().reloads();
        try (var load = new OpenLoop(site.front(), rate)) {
            load.runFor(Duration.ofMillis(500));
            for (Instance old : site.instances()) {
                Instance next = site.startBackend();
                site.register(next);
                site.awaitServing();
                if (drained) {
                    site.deregister(old);
                    site.awaitServing();
                    Site.await(() -> site.haproxy().connections(Site.WEB, old.port()) == 0);
                    old.process().destroy();
                } else {
                    Site.kill(old.process());
                    site.deregister(old);
                    site.awaitServing();
                }
                load.runFor(Duration.ofMillis(500));
            }
            load.stop();
            return Outcome.of(load, site.haproxy().reloads() - before);
        }
    }

    /**
     * A flap's cost.
     *
     * @param cpuPercent of one core, the companion's
     * @param rightMillis from the last change to HAProxy having it
     */
    record Flap(Outcome outcome, double cpuPercent, double rightMillis, int changes) {}

    /** Flips an instance's check at {@code hertz}, a failed state last and then a passing one. */
    Flap flap(int rate, int hertz, Duration time) {
        Instance victim = site.instances().get(1);
        int before = site.haproxy().reloads();
        var flips = new AtomicInteger();
        try (var load = new OpenLoop(site.front(), rate);
                var clock = Executors.newSingleThreadScheduledExecutor()) {
            load.runFor(Duration.ofMillis(500));
            Duration cpuBefore = site.companionFigures().cpu();
            long begun = System.nanoTime();
            clock.scheduleAtFixedRate(
                    () -> site.check(victim, flips.getAndIncrement() % 2 == 0 ? "fail" : "pass"),
                    0,
                    1_000_000 / hertz,
                    TimeUnit.MICROSECONDS);
            load.runFor(time);
            clock.shutdown();
            if (!clock.awaitTermination(5, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the registry does not take changes in time");
            }
            double seconds = Figures.millisSince(begun) / 1e3;
            double cpu = site.companionFigures().cpu().minus(cpuBefore).toMillis() / 10.0 / seconds;
            long last = System.nanoTime();
            site.check(victim, "fail");
            double right = site.millisUntil(victim.port(), false, last);
            last = System.nanoTime();
            site.check(victim, "pass");
            right = Math.max(right, site.millisUntil(victim.port(), true, last));
            site.awaitServing();
            load.stop();
            return new Flap(
                    Outcome.of(load, site.haproxy().reloads() - before), cpu, right, flips.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /**
     * The registry's absence.
     *
     * @param followsMillis from its return to the first request of an instance registered then
     */
    record Away(Outcome outcome, int served, double followsMillis) {}

    /** The only agent is dead for {@code time}; the companion is killed and started meanwhile. */
    Away registryAway(int rate, Duration time) {
        int before = site.haproxy().reloads();
        Instance fresh = site.startBackend();
        try (var load = new OpenLoop(site.front(), rate)) {
            load.runFor(Duration.ofMillis(500));
            site.agent().kill();
            load.runFor(time.dividedBy(3));
            site.killCompanion();
            load.runFor(time.dividedBy(3));
            site.startCompanion();
            load.runFor(time.dividedBy(3));
            int served = site.haproxy().serving(Site.WEB).size();
            site.agent().restart();
            long back = System.nanoTime();
            site.register(fresh);
            double follows = millisToFirst(load, fresh, back);
            site.deregister(fresh);
            site.awaitServing();
            load.stop();
            return new Away(Outcome.of(load, site.haproxy().reloads() - before), served, follows);
        } finally {
            fresh.process().destroyForcibly();
        }
    }

    /**
     * All instances gone for a while, and back.
     *
     * @param keepFailed failed requests under {@code keep}
     * @param dropMillis until the first failure under {@code drop}
     * @param afterMillis the same under {@code after}
     * @param recoveredMillis from their return to the first good answer, the slower of drop and
     *     after
     */
    record Vanish(
            int keepFailed,
            String keepFailures,
            int kept,
            double dropMillis,
            double afterMillis,
            double recoveredMillis,
            int reloads) {}

    /** One service served thrice, under the three policies. */
    Vanish vanish(int rate, Duration after) {
        int[] ports = Ports.free(2);
        site.change(
                site.webService("")
                        + Site.serviceEntry(
                                "dropping",
                                ports[0],
                                "service: web\non_empty: drop\ncheck: {path: /}")
                        + Site.serviceEntry(
                                "waiting",
                                ports[1],
                                "service: web\non_empty: {after: %dms}\ncheck: {path: /}"
                                        .formatted(after.toMillis())));
        List<Instance> all = site.instances();
        int reloads = site.haproxy().reloads();
        try (var keep = new OpenLoop(site.front(), rate);
                var drop = new OpenLoop(ports[0], rate);
                var wait = new OpenLoop(ports[1], rate)) {
            keep.runFor(Duration.ofSeconds(1));
            if (drop.failed() + wait.failed() > 0) {
                throw new IllegalStateException("before: " + drop.failures() + wait.failures());
            }
            long gone = System.nanoTime();
            all.forEach(site::deregister);
            Site.await(() -> firstFailure(drop, gone) > 0 && firstFailure(wait, gone) > 0);
            double dropMillis = (firstFailure(drop, gone) - gone) / 1e6;
            double afterMillis = (firstFailure(wait, gone) - gone) / 1e6;
            int kept = site.haproxy().serving(Site.WEB).size();
            keep.runFor(Duration.ofMillis(500));
            long back = System.nanoTime();
            all.forEach(site::register);
            Site.await(() -> firstGood(drop, back) > 0 && firstGood(wait, back) > 0);
            double recovered =
                    (Math.max(firstGood(drop, back), firstGood(wait, back)) - back) / 1e6;
            site.awaitServing();
            keep.stop();
            return new Vanish(
                    keep.failed(),
                    keep.failures().toString(),
                    kept,
                    dropMillis,
                    afterMillis,
                    recovered,
                    site.haproxy().reloads() - reloads);
        } finally {
            site.change(site.webService(""));
        }
    }

    private static long firstFailure(OpenLoop load, long since) {
        return load.samples().stream()
                .filter(sample -> !sample.isGood() && sample.intended() - since > 0)
                .mapToLong(OpenLoop.Sample::end)
                .min()
                .orElse(0);
    }

    /** Of a request that began after {@code since}. */
    private static long firstGood(OpenLoop load, long since) {
        return load.samples().stream()
                .filter(sample -> sample.isGood() && sample.intended() - since > 0)
                .mapToLong(OpenLoop.Sample::end)
                .min()
                .orElse(0);
    }
}
