package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Measures the packaged distribution and prints the table.
 *
 * <ul>
 *   <li>{@code BENCH_ROWS=kv,parked}: only the rows whose key holds one of these words
 *   <li>{@code BENCH_OTHER=DIR}: another unpacked distribution, measured in turns with this one in
 *       the rows of writes to three servers; its figures stand in the floor's column
 *   <li>{@code BENCH_QUICK=1}: fewer and shorter rounds; figures are rough
 * </ul>
 */
final class Bench {
    private final House house;
    private final Rounds rounds;
    private final Disk disk;
    private final List<String> words;
    private final Report report = new Report();

    private Bench(House house, Rounds rounds, Disk disk, List<String> words) {
        this.house = house;
        this.rounds = rounds;
        this.disk = disk;
        this.words = words;
    }

    /** Arguments: the unpacked distribution, a directory for data and logs, the report. */
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toAbsolutePath();
        Path work = Path.of(arguments[1]).toAbsolutePath();
        boolean quick = !System.getenv().getOrDefault("BENCH_QUICK", "").isEmpty();
        String rows = System.getenv().getOrDefault("BENCH_ROWS", "").toLowerCase(Locale.ROOT);
        // Shorter than any server's idle timeout: a PUT on a connection that is just being closed
        // fails.
        System.setProperty("jdk.httpclient.keepalive.timeout", "2");
        clear(work);
        var bench =
                new Bench(
                        new House(home, work),
                        quick ? Rounds.quick() : Rounds.full(),
                        new Disk(work),
                        rows.isBlank() ? List.of("") : List.of(rows.strip().split("[, ]+")));
        String before = load();
        long begin = System.nanoTime();
        bench.measure();
        bench.report.write(
                Path.of(arguments[2]),
                machine(before, Duration.ofNanos(System.nanoTime() - begin), quick));
    }

    private void measure() throws IOException {
        if (wants(Row.VERSION, Row.START_WALL, Row.START_CPU, Row.RSS_IDLE)) {
            var starts = new StartRows(house, rounds, report);
            section(starts::measure);
        }
        if (wants(Row.HEALTH_10, Row.CATALOG_10, Row.HEALTH_200, Row.KV_GET)) {
            section(this::reads);
        }
        if (wants(
                Row.CLIENT_GET,
                Row.CLIENT_GET_P50,
                Row.CLUSTER_CPU,
                Row.CLUSTER_GOSSIP,
                Row.CLUSTER_SERVER,
                Row.CLUSTER_CLIENT)) {
            section(() -> new ClusterRows(house, rounds, report).measure(this::wants));
        }
        if (wants(Row.REGISTER_P50, Row.REGISTER_RATE, Row.REGISTER_SYNC)) {
            section(this::registrations);
        }
        if (wants(Row.KV_PUT_P50, Row.KV_PUT_RATE, Row.KV_PUT_SYNC)) {
            section(this::values);
        }
        if (wants(Row.LOCK_P50)) {
            section(this::locks);
        }
        if (wants(Row.TXN_10)) {
            section(this::transactions);
        }
        if (wants(Row.SERVERS_P50, Row.SERVERS_RATE, Row.SERVERS_CPU)) {
            section(this::servers);
        }
        if (wants(Row.AGENT_P50, Row.AGENT_RATE, Row.TTL_PASS)) {
            section(this::ownServices);
        }
        if (wants(Row.DNS_A_10, Row.DNS_SRV_10, Row.DNS_A_200, Row.DNS_NODE)) {
            section(() -> new DnsRows(house, rounds, report).measure(this::wants));
        }
        if (wants(Row.FILTER_5000)) {
            section(this::filter);
        }
        if (wants(Row.SNAPSHOT_SAVE, Row.SNAPSHOT_WRITES, Row.SNAPSHOT_RESTORE)) {
            section(() -> new SnapshotRows(house, rounds, report).measure());
        }
        if (wants(Row.RSS_LOADED, Row.SERVICES_5000, Row.WAKE_UPS)) {
            section(() -> new LoadedRows(house, rounds, report).measure());
        }
        if (wants(Row.PARKED_RSS, Row.PARKED_HEAP, Row.PARKED_LAST, Row.PARKED_CPU, Row.HANGUP)) {
            section(() -> new ParkedRows(house, rounds, report).measure());
        }
        if (wants(Row.SSE_RSS, Row.SSE_HEAP, Row.SSE_LAST, Row.SSE_CPU)) {
            section(() -> new StreamRows(house, rounds, report).measure());
        }
    }

    private boolean wants(Row... rows) {
        return Arrays.stream(rows)
                .anyMatch(row -> words.stream().anyMatch(word -> row.key().contains(word)));
    }

    private interface Section {
        void measure() throws IOException;
    }

    /** One row that can't be measured does not hide the others. */
    private void section(Section section) throws IOException {
        try {
            section.measure();
        } catch (IllegalStateException | UncheckedIOException e) {
            report.note("NOT MEASURED: " + e + (e.getCause() == null ? "" : ", " + e.getCause()));
        }
    }

    private void reads() {
        try (var pair = new Pair(house, rounds)) {
            for (int n = 0; n < 200; n++) {
                pair.api().put("/v1/catalog/register", Catalog.onItsOwnNode("large", n));
                if (n < 10) {
                    pair.api().put("/v1/catalog/register", Catalog.onItsOwnNode("ten", n));
                }
            }
            pair.api().put("/v1/kv/bench/key", "%0100d".formatted(1));
            read(pair, Row.HEALTH_10, "/v1/health/service/ten");
            read(pair, Row.CATALOG_10, "/v1/catalog/service/ten");
            read(pair, Row.HEALTH_200, "/v1/health/service/large");
            read(pair, Row.KV_GET, "/v1/kv/bench/key");
        }
    }

    private void read(Pair pair, Row row, String path) {
        if (wants(row)) {
            double[] cpu = pair.cpuOfGet(path);
            report.add(row, cpu[0], cpu[1]);
        }
    }

    private void registrations() {
        try (var pair = new Pair(house, rounds)) {
            for (int n = 1; n <= 20; n++) {
                pair.api()
                        .put(
                                "/v1/catalog/register",
                                "{\"Node\":\"w%1$d\",\"Address\":\"10.3.0.%1$d\"}".formatted(n));
            }
            durable(
                    pair,
                    new Row[] {Row.REGISTER_P50, Row.REGISTER_RATE, Row.REGISTER_SYNC},
                    64,
                    Catalog.changes("/v1/catalog/register"),
                    Catalog.changes("/durable/"));
        }
    }

    private void values() {
        try (var pair = new Pair(house, rounds)) {
            durable(
                    pair,
                    new Row[] {Row.KV_PUT_P50, Row.KV_PUT_RATE, Row.KV_PUT_SYNC},
                    64,
                    Catalog.values("/v1/kv/bench/k%d"),
                    Catalog.values("/durable/"));
        }
    }

    /** Two writes make a row: twice the median of one. */
    private void locks() {
        try (var pair = new Pair(house, rounds)) {
            String answer =
                    new String(
                            pair.api().put("/v1/session/create", "{}").body(),
                            StandardCharsets.UTF_8);
            String session = answer.replaceFirst(".*\"ID\":\"([^\"]*)\".*", "$1");
            House.teach(pair.floor(), "/durable/", pair.api().put("/v1/kv/bench/first", "y"));
            double[] millis =
                    pair.medianMillis(
                            Catalog.locks("/v1/kv/bench/lock", session),
                            Catalog.values("/durable/"));
            report.add(Row.LOCK_P50, 2 * millis[0], 2 * millis[1]);
        }
    }

    private void transactions() {
        try (var pair = new Pair(house, rounds)) {
            Clients.Requests ours = Catalog.transactions("/v1/txn");
            House.teach(
                    pair.floor(), "/durable/", pair.api().put("/v1/txn", Catalog.transaction(0)));
            double[] cpu = pair.cpuOf(ours, Catalog.transactions("/durable/"));
            report.add(Row.TXN_10, cpu[0], cpu[1]);
        }
    }

    /** One node in fifty is meant. */
    private void filter() {
        try (var pair = new Pair(house, rounds)) {
            try (var clients = new Clients(pair.agent().port(), 16)) {
                clients.run(
                        n ->
                                ByteBuffer.wrap(
                                        Api.request(
                                                "PUT", "/v1/catalog/register", Catalog.node(n))),
                        5_000);
            }
            String filter = URLEncoder.encode("Meta.rack == \"r7\"", StandardCharsets.UTF_8);
            double[] cpu = pair.cpuOfGet("/v1/catalog/nodes?filter=" + filter);
            report.add(Row.FILTER_5000, cpu[0] / 1000, cpu[1] / 1000);
        }
    }

    private void servers() {
        String other = System.getenv().getOrDefault("BENCH_OTHER", "");
        House others = other.isEmpty() ? null : house.of(Path.of(other).toAbsolutePath());
        new WriteRows(house, others, rounds, report).measure();
    }

    private void ownServices() {
        try (var pair = new Pair(house, rounds)) {
            durable(
                    pair,
                    new Row[] {Row.AGENT_P50, Row.AGENT_RATE},
                    16,
                    Catalog.ownServices("/v1/agent/service/register"),
                    Catalog.ownServices("/durable/"));
            if (wants(Row.TTL_PASS)) {
                String register = "/v1/agent/service/register";
                pair.api().put(register, "{\"Name\":\"ttl\",\"Check\":{\"TTL\":\"1h\"}}");
                String path = "/v1/agent/check/pass/service:ttl?note=fine";
                House.teach(pair.floor(), path, pair.api().put(path, ""));
                var pass = Clients.Requests.same(Api.request("PUT", path, ""));
                double[] cpu = pair.cpuOf(pass, pass);
                report.add(Row.TTL_PASS, cpu[0], cpu[1]);
            }
        }
    }

    /** {@code rows}: p50 of one client, per second of many, answers per flush of the disk. */
    private void durable(
            Pair pair, Row[] rows, int many, Clients.Requests ours, Clients.Requests floors) {
        House.teach(pair.floor(), "/durable/", pair.api().put("/v1/kv/bench/first", "y"));
        if (wants(rows[0])) {
            double[] millis = pair.medianMillis(ours, floors);
            report.add(rows[0], millis[0], millis[1]);
        }
        if (wants(Arrays.copyOfRange(rows, 1, rows.length))) {
            double[][] rates = pair.rates(many, ours, floors, disk);
            report.add(rows[1], rates[0][0], rates[0][1]);
            if (rows.length > 2) {
                report.add(rows[2], rates[1][0], rates[1][1]);
            }
        }
    }

    private static String machine(String before, Duration time, boolean quick) throws IOException {
        return "%d cores, %s, Linux %s, Java %s; load %s before, %s after; %d s%s"
                .formatted(
                        Runtime.getRuntime().availableProcessors(),
                        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                                .filter(line -> line.startsWith("model name"))
                                .findFirst()
                                .map(line -> line.replaceFirst(".*: ", ""))
                                .orElse("unknown processor"),
                        System.getProperty("os.version"),
                        Runtime.version(),
                        before,
                        load(),
                        time.toSeconds(),
                        quick ? "; quick, so rough" : "");
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    }

    private static void clear(Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(directory)) {
                    Files.delete(file);
                }
            }
        }
    }
}
