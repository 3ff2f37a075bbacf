package registry.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import registry.agent.config.AgentConfig.Telemetry;
import registry.agent.metrics.Metrics.Finished;

/** What is counted and measured, as Consul and Prometheus show it. */
class MetricsTest {
    /** 2026-11-22 12:00:40 UTC, as in the captures. */
    private final AtomicLong millis = new AtomicLong(1_795_348_840_000L);

    private Metrics metrics(Telemetry telemetry) {
        return new Metrics(
                telemetry,
                "host-1",
                List.of(sink -> sink.put("runtime.alloc_bytes", 5, "pool", "a")),
                millis::get);
    }

    private static Telemetry plain() {
        return new Telemetry(Duration.ZERO, false, "consul", true);
    }

    @Test
    void aFinishedIntervalIsShown() {
        Metrics metrics = metrics(plain());
        Series applied = metrics.sample("kvs.apply");
        for (double value : new double[] {1, 2, 6}) {
            applied.add(value);
        }
        metrics.counter("rpc.query").count();
        // There is no finished one yet.
        assertThat(metrics.finished().samples().getFirst().count()).isEqualTo(3);
        millis.addAndGet(10_000);
        applied.add(100);
        Finished finished = metrics.finished();
        assertThat(finished.timestamp()).isEqualTo("2026-11-22 12:00:40 +0000 UTC");
        assertThat(finished.points()).isEmpty();
        assertThat(finished.counters())
                .containsExactly(
                        new Metrics.Interval("consul.rpc.query", 1, 0.1, 1, 1, 1, 1, 0, labels()));
        var shown = finished.samples().getFirst();
        assertThat(shown.name()).isEqualTo("consul.kvs.apply");
        assertThat(shown.count()).isEqualTo(3);
        assertThat(shown.sum()).isEqualTo(9);
        assertThat(shown.rate()).isEqualTo(0.9);
        assertThat(shown.min()).isEqualTo(1);
        assertThat(shown.max()).isEqualTo(6);
        assertThat(shown.mean()).isEqualTo(3);
        assertThat(shown.stddev()).isCloseTo(Math.sqrt(7), within(1e-9));
        millis.addAndGet(20_000);
        assertThat(metrics.finished().samples()).isEmpty();
    }

    private static java.util.SortedMap<String, String> labels(String... pairs) {
        return new Metrics.Name("", List.of(pairs)).labelMap();
    }

    @Test
    void requestsHaveTheNamesOfBothTimes() {
        Metrics metrics = metrics(plain());
        HttpSeries.of(metrics, "GET", "/v1/kv/", true).add(2);
        assertThat(metrics.finished().samples())
                .extracting(Metrics.Interval::name)
                .containsExactly("consul.api.http", "consul.http.GET.v1.kv._");
        assertThat(metrics.finished().samples().getFirst().labels())
                .isEqualTo(Map.of("method", "GET", "path", "v1_kv_"));
        Metrics later = metrics(plain());
        HttpSeries.of(later, "PUT", "/v1/agent/reload", false).add(2);
        assertThat(later.finished().samples()).hasSize(1);
    }

    @Test
    void gaugesCarryTheHostOnlyBesidePrometheus() {
        assertThat(metrics(plain()).finished().gauges().getFirst().name())
                .isEqualTo("consul.runtime.alloc_bytes");
        var withHost = new Telemetry(Duration.ofSeconds(30), false, "consul", true);
        assertThat(metrics(withHost).finished().gauges().getFirst().name())
                .isEqualTo("consul.host-1.runtime.alloc_bytes");
        var without = new Telemetry(Duration.ofSeconds(30), true, "my", true);
        assertThat(metrics(without).finished().gauges().getFirst().name())
                .isEqualTo("my.runtime.alloc_bytes");
    }

    @Test
    void prometheusReadsTotalsAndQuantiles() {
        Metrics metrics = metrics(new Telemetry(Duration.ofSeconds(60), true, "consul", true));
        Series apply = metrics.sample("kvs.apply");
        for (int n = 1; n <= 100; n++) {
            apply.add(n);
        }
        metrics.counter("rpc.query").count();
        metrics.counter("rpc.query").count();
        metrics.sample("api.http", "path", "a\"b\\", "method", "GET").add(1.5);
        assertThat(metrics.prometheus())
                .isEqualTo(
                        """
                        # HELP consul_runtime_alloc_bytes consul_runtime_alloc_bytes
                        # TYPE consul_runtime_alloc_bytes gauge
                        consul_runtime_alloc_bytes{pool="a"} 5
                        # HELP consul_rpc_query consul_rpc_query
                        # TYPE consul_rpc_query counter
                        consul_rpc_query 2
                        # HELP consul_api_http consul_api_http
                        # TYPE consul_api_http summary
                        consul_api_http{method="GET",path="a\\"b\\\\",quantile="0.5"} 1.5
                        consul_api_http{method="GET",path="a\\"b\\\\",quantile="0.9"} 1.5
                        consul_api_http{method="GET",path="a\\"b\\\\",quantile="0.99"} 1.5
                        consul_api_http_sum{method="GET",path="a\\"b\\\\"} 1.5
                        consul_api_http_count{method="GET",path="a\\"b\\\\"} 1
                        # HELP consul_kvs_apply consul_kvs_apply
                        # TYPE consul_kvs_apply summary
                        consul_kvs_apply{quantile="0.5"} 50
                        consul_kvs_apply{quantile="0.9"} 90
                        consul_kvs_apply{quantile="0.99"} 99
                        consul_kvs_apply_sum 5050
                        consul_kvs_apply_count 100
                        """);
        millis.addAndGet(30_000);
        assertThat(metrics.prometheus())
                .contains(
                        "consul_kvs_apply{quantile=\"0.5\"} NaN\n", "consul_kvs_apply_count 100\n");
        millis.addAndGet(31_000);
        assertThat(metrics.prometheus()).doesNotContain("kvs_apply", "rpc_query");
    }
}
