package registry.it.haproxy;

import java.util.Locale;

/**
 * The rows of the table: the best that was measured with other programs, and what was asked for.
 */
enum HaproxyRow {
    CHECK_OUT("failed check → out of HAProxy, p99", "ms", "7–29", 100),
    CHECK_FAILED("… failed requests", "", "", 0),
    KILL_200_OUT("kill -9 of a backend, 200/s → out", "ms", "410", 1000),
    KILL_200_FAILED("… failed requests", "", "0", 0),
    KILL_1000_OUT("kill -9 of a backend, 1,000/s → out", "ms", "", 1000),
    KILL_1000_FAILED("… failed requests", "", "", 0),
    NODE_200_OUT("kill -9 of agent and backend, 200/s → out", "ms", "470", 1000),
    NODE_200_FAILED("… failed requests", "", "0", 0),
    NODE_1000_OUT("kill -9 of agent and backend, 1,000/s → out", "ms", "", 1000),
    NODE_1000_FAILED("… failed requests", "", "", 0),
    FREEZE_200_OUT("frozen backend, 200/s → out", "ms", "1,400–1,600", 2000),
    FREEZE_200_FAILED("… failed requests", "", "≤ 1", 1),
    FREEZE_1000_OUT("frozen backend, 1,000/s → out", "ms", "", 2000),
    FREEZE_1000_FAILED("… failed requests", "", "", 1),
    FROZEN_NODE_OUT("frozen agent and backend, 200/s → out", "ms", "1,400–1,600", 2000),
    FROZEN_NODE_FAILED("… failed requests", "", "≤ 1", 1),
    REGISTER("register → first request", "ms", "30–60", 200),
    DRAINED_FAILED("all replaced, drained: failed requests", "", "0", 0),
    DRAINED_RELOADS("… reloads", "", "0", 0),
    UNDRAINED_FAILED("all replaced, kill -9: failed requests", "", "0", 0),
    UNDRAINED_RELOADS("… reloads", "", "0", 0),
    FLAP_RELOADS("flapping at 20 Hz for 10 s: reloads", "", "0", 0),
    FLAP_CPU("… CPU of the companion, of a core", "%", "41 (machine)", 5),
    FLAP_RIGHT("… right after", "ms", "", 1000),
    FLAP_FAILED("… failed requests", "", "", 0),
    AWAY_FAILED("registry away 15 s, companion restarted: failed requests", "", "0", 0),
    AWAY_LOST("… backends lost", "", "0", 0),
    AWAY_FOLLOWS("… follows after its return", "ms", "20–30", 1000),
    VANISH_KEEP("all instances gone: failed requests, keep", "", "no one has it", 0),
    VANISH_DROP("… 503 after, drop", "ms", "", 1000),
    VANISH_AFTER("… 503 after, after: 2s, beyond the 2 s", "ms", "", 1500),
    VANISH_BACK("… recovered after", "ms", "20", 200),
    HOSTILE_IN("hostile registrations: got in, of over 1,000", "", "8 of 8 out", 0),
    HOSTILE_FAILED("… failed requests", "", "", 0),
    HOSTILE_UNNAMED("… not named in status", "", "", 0),
    HOSTILE_FOLLOWS("… register → first request meanwhile", "ms", "", 200),
    BURSTS_WRONG("bursts of structural changes: not right, of 20 a run", "", "15", 0),
    BURSTS_FAILED("… failed requests", "", "0", 0),
    RESTART_WRONG("HAProxy killed and started, wrong answers of 60, registry there", "", "", 0),
    RESTART_ALONE_WRONG("… without the registry", "", "", 0),
    RESTART_FILE_WRONG("… without the companion too", "", "", 0),
    SCALE_LAG("200 × 20 instances, 50 changes/s, 60 s: lag, max", "ms", "", 1000),
    SCALE_RELOADS("… reloads", "", "", 0),
    SCALE_RSS("… RSS of the companion", "MB", "", 150),
    SCALE_CPU("… CPU of the companion, of a core", "%", "", 30),
    HOP_KEEP("hop at p50, keep-alive", "ms", "0.12–0.17", 0.2),
    HOP_CLOSE("hop at p50, a connection each", "ms", "0.15–0.23", 0.2);

    private final String label;
    private final String unit;
    private final String best;
    private final double aim;

    HaproxyRow(String label, String unit, String best, double aim) {
        this.label = label;
        this.unit = unit;
        this.best = best;
        this.aim = aim;
    }

    String label() {
        return unit.isEmpty() ? label : label + ", " + unit;
    }

    String best() {
        return best;
    }

    /** Whether it counts things: then the worst run is what counts. */
    boolean isCount() {
        return unit.isEmpty();
    }

    String aim() {
        return isCount() ? (aim == 0 ? "0" : "≤ " + text(aim)) : "< " + text(aim);
    }

    boolean isMet(double ours) {
        return isCount() ? ours <= aim : ours < aim;
    }

    static String text(double value) {
        int decimals = value == Math.rint(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
