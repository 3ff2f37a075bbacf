package registry.bench;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;

/** The rows of the table: what was asked for, and what Consul 1.9.8 did on a like machine. */
enum Row {
    HEALTH_10("health/service of 10 instances, CPU each", "µs", "170–270", 60),
    CATALOG_10("catalog/service of 10 instances, CPU each", "µs", "106–160", 60),
    HEALTH_200("health/service of 200 instances, CPU each", "µs", "2,400–3,700", 400),
    SERVICES_5000("catalog/services at 5,000 instances, CPU each", "µs", "2,000–8,000", 60),
    KV_GET("KV GET, CPU each", "µs", "31–53", 40),
    REGISTER_P50("catalog/register, durable, 1 client, p50", "ms", "1.0–1.3", 0.6),
    REGISTER_RATE("catalog/register, durable, 64 clients", "/s", "1.8–3.6k", -10_000),
    REGISTER_SYNC("catalog/register at 64 clients, writes per disk flush", "", "", -1),
    KV_PUT_P50("KV PUT, durable, 1 client, p50", "ms", "0.63–0.71", 0.6),
    KV_PUT_RATE("KV PUT, durable, 64 clients", "/s", "5–10.7k", -10_000),
    KV_PUT_SYNC("KV PUT at 64 clients, writes per disk flush", "", "", -1),
    LOCK_P50("lock acquire and release, durable, 1 client, p50", "ms", "1.3–1.5", 1.2),
    TXN_10("txn of 10 KV sets, CPU each", "µs", "", 200),
    SERVERS_P50("KV PUT at the leader of 3 servers, durable, 1 client, p50", "ms", "1.3–2.3", 1),
    SERVERS_RATE(
            "KV PUT at the leader of 3 servers, durable, 64 clients", "/s", "1.5–4.3k", -8_000),
    SERVERS_CPU("KV PUT at the leader of 3 servers, 64 clients, CPU each of all", "µs", "400", 400),
    AGENT_P50("agent/service/register, 1 client, p50", "ms", "1.9–4.6", 1),
    AGENT_RATE("agent/service/register, 16 clients", "/s", "150–690", -3_000),
    TTL_PASS("TTL pass without a change, CPU each", "µs", "290–540", 40),
    PARKED_RSS("10,000 parked queries, RSS each", "KB", "37–45", 5),
    PARKED_HEAP("10,000 parked queries, live heap each", "KB", "", 5),
    PARKED_LAST("10,000 parked queries, last woken", "s", "1.27", 0.45),
    PARKED_CPU("10,000 parked queries, CPU per wake", "µs", "154–240", 40),
    HANGUP("5,000 parked clients hang up, freed after", "s", "next change", 5),
    SSE_RSS("10,000 subscribers to events, RSS each", "KB", "", 6),
    SSE_HEAP("10,000 subscribers to events, live heap each", "KB", "", 6),
    SSE_LAST("10,000 subscribers to events, last one told", "s", "", 0.5),
    SSE_CPU("10,000 subscribers to events, CPU per event", "µs", "", 40),
    WAKE_UPS("catalog/services wake-ups per 100 check updates", "", "47–73", 0),
    START_WALL("exec to first committed write", "s", "1.1–2.1", 0.8),
    START_CPU("exec to first committed write, CPU", "s", "0.21–0.41", 1),
    RSS_IDLE("RSS idle", "MB", "55", 110),
    RSS_LOADED("RSS, 5,000 instances and 10,000 checks", "MB", "142–155", 150),
    CLIENT_GET("KV GET through a client agent, CPU each of all", "µs", "1,200–1,600", 250),
    CLIENT_GET_P50("KV GET through a client agent, 1 client, p50", "ms", "1.1", 0.5),
    CLUSTER_CPU("3 servers and 2 clients at rest, CPU of all", "ms/s", "", 30),
    CLUSTER_GOSSIP("3 servers and 2 clients at rest, gossip of all", "KB/s", "", Row.NO_AIM),
    CLUSTER_SERVER("3 servers and 2 clients at rest, RSS of a server", "MB", "", 130),
    CLUSTER_CLIENT("3 servers and 2 clients at rest, RSS of a client", "MB", "", 110),
    DNS_A_10("DNS A of 10, CPU each", "µs", "86–106", 30),
    DNS_SRV_10("DNS SRV of 10, CPU each", "µs", "216–270", 40),
    DNS_A_200("DNS A of 200, CPU each", "µs", "840–1,200", 50),
    DNS_NODE("DNS A of a node, CPU each", "µs", "43–75", 25),
    FILTER_5000("catalog/nodes of 5,000 by a filter, CPU each", "ms", "", 5),
    SNAPSHOT_SAVE("snapshot save of 50,000 instances", "s", "", 2),
    SNAPSHOT_WRITES("writes meanwhile, 1 client", "/s", "", -1),
    SNAPSHOT_RESTORE("snapshot restore of 50,000 instances", "s", "", 2),
    VERSION("registry version, wall", "ms", "35–42", 50);

    /** For what is worth knowing, whatever it is. */
    private static final double NO_AIM = Double.NaN;

    private final String label;
    private final String unit;
    private final String consul;

    /** At most this; when negative, at least its absolute value. */
    private final double aim;

    Row(String label, String unit, String consul, double aim) {
        this.label = label;
        this.unit = unit;
        this.consul = consul;
        this.aim = aim;
    }

    /** Its name in {@code BENCH_ROWS}: {@code kv-get}. */
    String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String label() {
        return unit.isEmpty() ? label : label + ", " + unit;
    }

    String consul() {
        return consul;
    }

    /** Empty when there is none. */
    String aim() {
        if (Double.isNaN(aim)) {
            return "";
        }
        var number = new DecimalFormat("#,##0.##", DecimalFormatSymbols.getInstance(Locale.ROOT));
        return aim < 0 ? "≥ " + number.format(-aim) : "≤ " + number.format(aim);
    }

    /** Whether it is: {@code yes}, {@code NO}, or nothing where there is no aim. */
    String met(double ours) {
        if (Double.isNaN(aim)) {
            return "";
        }
        return (aim < 0 ? ours >= -aim : ours <= aim) ? "yes" : "NO";
    }

    /** {@code value} with three digits that count; empty for NaN. */
    static String text(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        double size = Math.abs(value);
        int decimals =
                size >= 100 || size == Math.rint(size) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
