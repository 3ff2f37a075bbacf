package registry.it.haproxy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import registry.it.LauncherProcess;
import registry.it.haproxy.Site.Instance;

/** What dies, and what happens to the requests meanwhile. Each leaves the site as it was. */
record Faults(Site site) {
    private static final Duration BEFORE = Duration.ofSeconds(1);
    private static final Duration AFTER = Duration.ofMillis(1500);

    /**
     * What a fault cost.
     *
     * @param outMillis from the fault until HAProxy sends nothing more to the backend
     */
    record Outcome(
            double outMillis, int failed, Map<String, Long> failures, int sent, String times) {
        @Override
        public String toString() {
            return "out after %.0f ms, %d of %d requests failed %s, %s"
                    .formatted(outMillis, failed, sent, failures, times);
        }
    }

    Outcome killBackend(int rate) {
        Instance victim = site.instances().get(1);
        return during(rate, victim, () -> Site.kill(victim.process()), () -> site.restart(victim));
    }

    Outcome freezeBackend(int rate) {
        Instance victim = site.instances().get(1);
        return during(
                rate,
                victim,
                () -> Site.signal(victim.process(), "STOP"),
                () -> Site.signal(victim.process(), "CONT"));
    }

    /** The first agent, which is the one that the companion asks, and a backend at once. */
    Outcome killNode(int rate) {
        Instance victim = site.instances().get(1);
        LauncherProcess agent = site.agent();
        return during(
                rate,
                victim,
                () -> {
                    agent.process().destroyForcibly();
                    Site.kill(victim.process());
                    agent.kill();
                },
                () -> {
                    agent.restart();
                    site.restart(victim);
                });
    }

    Outcome freezeNode(int rate) {
        Instance victim = site.instances().get(1);
        return during(
                rate,
                victim,
                () -> {
                    site.agent().signal("STOP");
                    Site.signal(victim.process(), "STOP");
                },
                () -> {
                    site.agent().signal("CONT");
                    Site.signal(victim.process(), "CONT");
                });
    }

    private Outcome during(int rate, Instance victim, Runnable breaks, Runnable mends) {
        try (var load = new OpenLoop(site.front(), rate)) {
            load.runFor(BEFORE);
            long begun = System.nanoTime();
            breaks.run();
            double out = site.millisUntil(victim.port(), false, begun);
            load.runFor(AFTER);
            load.stop();
            return new Outcome(
                    out,
                    load.failed(),
                    load.failures(),
                    load.sent(),
                    "p50 %.1f p99 %.1f max %.0f ms"
                            .formatted(load.millis(0.5), load.millis(0.99), load.millis(1)));
        } finally {
            mends.run();
            site.awaitServing();
        }
    }

    /** Times from telling the registry that a check fails to being out of HAProxy. */
    record Checks(List<Double> outMillis, List<Double> inMillis, int failed) {}

    Checks failChecks(int times, int rate) {
        List<Double> outs = new ArrayList<>();
        List<Double> ins = new ArrayList<>();
        try (var load = new OpenLoop(site.front(), rate)) {
            for (int i = 0; i < times; i++) {
                Instance instance = site.instances().get(i % site.instances().size());
                long failed = System.nanoTime();
                site.check(instance, "fail");
                outs.add(site.millisUntil(instance.port(), false, failed));
                long passed = System.nanoTime();
                site.check(instance, "pass");
                ins.add(site.millisUntil(instance.port(), true, passed));
            }
            load.stop();
            return new Checks(outs, ins, load.failed());
        }
    }
}
