package registry.agent.http;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import registry.api.ApiException;

/** {@code /v1/agent/monitor}: the agent's log as it is written. Source: consul-api 3.5. */
final class MonitorRoutes {
    private static final List<String> LEVELS =
            List.of("TRACE", "DEBUG", "INFO", "WARN", "ERR", "ERROR");

    private final AgentControl control;
    private final Executor executor;

    MonitorRoutes(AgentControl control, Executor executor) {
        this.control = control;
        this.executor = executor;
    }

    void addTo(RouteTable.Builder table) {
        table.live("/v1/agent/monitor", this::monitor);
    }

    private Feed monitor(Request request, Runnable more) {
        String level = request.query().first("loglevel");
        if (!level.isEmpty() && !LEVELS.contains(level.toUpperCase(Locale.ROOT))) {
            throw ApiException.badRequest("Bad request: Unknown log level: " + level);
        }
        boolean json = request.query().has("logjson");
        var feed = new LogFeed(json, () -> executor.execute(more));
        feed.tap(control.tapLog(level.isEmpty() ? "info" : level, json, feed::add));
        return feed;
    }
}
