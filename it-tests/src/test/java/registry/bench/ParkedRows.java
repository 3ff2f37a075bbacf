package registry.bench;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Ten thousand held questions: what each holds, how they wake, what the gone leave behind. */
final class ParkedRows {
    private static final int PARKED = 10_000;
    private static final int GONE = 5_000;
    private static final long HANGUP_NANOS = 20_000_000_000L;
    private static final String PATH = "/v1/health/service/parked";

    private final House house;
    private final Rounds rounds;
    private final Report report;

    ParkedRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    private record Measured(double rss, double heap, double last, double cpu, double hangUp) {}

    /** How to put all to sleep, and how to wake them. */
    private record Bed(Supplier<byte[]> park, Runnable wake) {}

    void measure() {
        try (var pair = new Pair(house, rounds)) {
            Api api = pair.api();
            int[] port = {1000};
            Runnable change =
                    () ->
                            api.put(
                                    "/v1/catalog/register",
                                    Catalog.onItsOwnNode("parked", 1)
                                            .replace("8080", Integer.toString(port[0]++)));
            change.run();
            House.teach(pair.floor(), "/parked", api.get(PATH));
            var floorApi = new Api(pair.floor().port());

            Measured ours = measure(pair.agent(), new Bed(() -> question(api), change), true);
            Measured floors =
                    measure(
                            pair.floor(),
                            new Bed(
                                    () -> Api.request("GET", "/parked", ""),
                                    () -> floorApi.put("/wake", "")),
                            false);
            report.add(Row.PARKED_RSS, ours.rss(), floors.rss());
            report.add(Row.PARKED_HEAP, ours.heap(), floors.heap());
            report.add(Row.PARKED_LAST, ours.last(), floors.last());
            report.add(Row.PARKED_CPU, ours.cpu(), floors.cpu());
            report.add(Row.HANGUP, ours.hangUp(), Double.NaN);
        }
    }

    private static byte[] question(Api api) {
        long index = Api.indexOf(api.get(PATH));
        return Api.request("GET", PATH + "?wait=10m&index=" + index, "");
    }

    private Measured measure(Subject subject, Bed bed, boolean hangUp) {
        subject.settle();
        double heapBefore = subject.liveBytes();
        double rssBefore = subject.residentBytes();
        int count = rounds.count();
        double[] last = new double[count];
        double[] cpu = new double[count];
        double heap;
        double rss;
        double gone = Double.NaN;
        try (var clients = new Clients(subject.port(), PARKED)) {
            park(subject, clients, bed);
            heap = (subject.liveBytes() - heapBefore) / PARKED / 1000;
            rss = (subject.residentBytes() - rssBefore) / PARKED / 1000;
            for (int i = -count; i < count; i++) {
                long begin = System.nanoTime();
                long cpuBefore = subject.cpuMicros();
                bed.wake().run();
                long end = clients.await();
                if (i >= 0) {
                    last[i] = (end - begin) / 1e9;
                    cpu[i] = (double) (subject.cpuMicros() - cpuBefore) / PARKED;
                }
                park(subject, clients, bed);
            }
            if (hangUp) {
                gone = hangUp(subject, clients);
            }
        }
        return new Measured(rss, heap, Rounds.median(last), Rounds.median(cpu), gone);
    }

    private static void park(Subject subject, Clients clients, Bed bed) {
        clients.sendAll(Clients.Requests.same(bed.park().get()));
        subject.settle();
        int answered = clients.answersWithin(Duration.ofMillis(50), 1);
        if (answered > 0) {
            throw new IllegalStateException("a parked query was answered without a change");
        }
    }

    /** Seconds until the connections of the gone are closed; NaN after twenty. */
    private double hangUp(Subject subject, Clients clients) {
        double heapBefore = subject.liveBytes();
        long filesBefore = subject.openFiles();
        long begin = System.nanoTime();
        clients.hangUp(GONE);
        while (subject.openFiles() > filesBefore - GONE) {
            if (System.nanoTime() - begin > HANGUP_NANOS) {
                report.note(
                        "%,d of %,d gone clients still hold a connection after 20 s"
                                .formatted(GONE - (filesBefore - subject.openFiles()), GONE));
                return Double.NaN;
            }
            LockSupport.parkNanos(20_000_000);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        subject.settle();
        report.note(
                "live heap freed by each gone client: %s KB"
                        .formatted(Row.text((heapBefore - subject.liveBytes()) / GONE / 1000)));
        return seconds;
    }
}
