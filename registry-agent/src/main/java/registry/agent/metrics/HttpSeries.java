package registry.agent.metrics;

/** How long requests of one route take, under the names that Consul's dashboards ask for. */
public final class HttpSeries {
    private HttpSeries() {}

    /**
     * @param path as in the table of routes; with a slash at its end for all below it
     * @param oldNames also as Consul named it before 1.9
     */
    public static Series of(Metrics metrics, String method, String path, boolean oldNames) {
        String label = path.substring(1).replace('/', '_');
        Series series = metrics.sample("api.http", "method", method, "path", label);
        if (oldNames) {
            String name = path.endsWith("/") ? path + "_" : path;
            metrics.alsoNamed(series, "http." + method + name.replace('/', '.'));
        }
        return series;
    }
}
