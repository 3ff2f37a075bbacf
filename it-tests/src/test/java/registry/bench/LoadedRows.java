package registry.bench;

import java.nio.ByteBuffer;
import java.time.Duration;

/** A catalogue of 5,000 instances and 10,000 checks, registered through /v1/catalog/register. */
final class LoadedRows {
    private static final int INSTANCES = 5_000;
    private static final int UPDATES = 100;
    private static final String SERVICES = "/v1/catalog/services";

    private final House house;
    private final Rounds rounds;
    private final Report report;

    LoadedRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure() {
        try (var pair = new Pair(house, rounds)) {
            try (var clients = new Clients(pair.agent().port(), 16)) {
                clients.run(LoadedRows::registration, INSTANCES);
            }
            pair.agent().settle();
            report.add(Row.RSS_LOADED, pair.agent().residentBytes() / 1e6, Double.NaN);
            report.add(Row.WAKE_UPS, wakeUps(pair), Double.NaN);
            double[] cpu = pair.cpuOfGet(SERVICES);
            report.add(Row.SERVICES_5000, cpu[0], cpu[1]);
        }
    }

    private static ByteBuffer registration(int n) {
        return ByteBuffer.wrap(Api.request("PUT", "/v1/catalog/register", Catalog.oneOfMany(n)));
    }

    /** Half of the updates come from the agent's own TTL check, half through the catalogue. */
    private static int wakeUps(Pair pair) {
        pair.api()
                .put(
                        "/v1/agent/service/register",
                        "{\"Name\":\"flapping\",\"Check\":{\"TTL\":\"1h\"}}");
        pair.agent().settle();
        int wakeUps = 0;
        try (var waiter = new Clients(pair.agent().port(), 1)) {
            park(pair, waiter);
            for (int i = 0; i < UPDATES; i++) {
                String state = i / 2 % 2 == 0 ? "pass" : "fail";
                if (i % 2 == 0) {
                    pair.api().put("/v1/agent/check/" + state + "/service:flapping", "");
                } else {
                    String check =
                            Catalog.oneOfMany(7)
                                    .replace(
                                            "\"passing\"",
                                            state.equals("pass") ? "\"warning\"" : "\"passing\"");
                    pair.api().put("/v1/catalog/register", check);
                }
                if (waiter.answersWithin(Duration.ofMillis(i == UPDATES - 1 ? 1000 : 20), 1) > 0) {
                    wakeUps++;
                    park(pair, waiter);
                }
            }
        }
        return wakeUps;
    }

    private static void park(Pair pair, Clients waiter) {
        long index = Api.indexOf(pair.api().get(SERVICES));
        waiter.sendAll(
                Clients.Requests.same(
                        Api.request("GET", SERVICES + "?wait=10m&index=" + index, "")));
    }
}
