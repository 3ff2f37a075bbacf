package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import registry.agent.metrics.Metrics;

/**
 * {@code /v1/agent/metrics} and {@code /v1/agent/host}: the process and its machine. Source:
 * consul-api 3.5.
 */
final class AgentMetricsRoutes {
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final Metrics metrics;

    AgentMetricsRoutes(Metrics metrics) {
        this.metrics = metrics;
    }

    void addTo(RouteTable.Builder table) {
        table.plain("GET", "/v1/agent/metrics", Handler.plain(this::metrics));
        table.plain(
                "GET", "/v1/agent/host", Handler.plain(r -> Answer.json(r, HostFacts.collect())));
    }

    private Answer metrics(Request request) {
        String accept = request.header("Accept");
        if (request.query().first("format").equals("prometheus")
                || accept != null && accept.startsWith("application/openmetrics-text")) {
            return metrics.isForPrometheus()
                    ? Answer.json(metrics.prometheus().getBytes(UTF_8)).withContentType(PROMETHEUS)
                    : Answer.text(
                            415,
                            "Prometheus is not enabled since its retention time is not positive");
        }
        return Answer.json(request, metrics.finished());
    }
}
