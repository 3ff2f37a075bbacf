package registry.agent.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Route.Door;
import registry.agent.http.Route.Trait;

/**
 * All routes, found by path as Go's ServeMux does: the exact one first, then the longest that the
 * path begins with. A star in the middle of a path stands for a name, which may have slashes; such
 * a path counts before those that are only a beginning.
 */
final class RouteTable {
    private static final List<String> ORDER = List.of("GET", "POST", "PUT", "DELETE");

    /** The routes of one path, and the {@code Allow} line that names their methods. */
    record Resource(String path, Map<String, Route> byMethod, String allow) {
        private boolean fits(String requested) {
            int star = path.indexOf('*');
            return requested.length() >= path.length()
                    && requested.startsWith(path.substring(0, star))
                    && requested.endsWith(path.substring(star + 1));
        }

        /** What stands behind the path of the routes, or in the place of its star. */
        String restOf(String requested) {
            int star = path.indexOf('*');
            if (star >= 0) {
                return requested.substring(star, requested.length() - (path.length() - star - 1));
            }
            return requested.length() > path.length() ? requested.substring(path.length()) : "";
        }
    }

    private final Map<String, Resource> byPath;
    private final List<Resource> withStar;
    private final int deepest;

    private RouteTable(List<Route> routes) {
        var grouped = new TreeMap<String, Map<String, Route>>();
        for (Route route : routes) {
            Route twin =
                    grouped.computeIfAbsent(route.path(), path -> new HashMap<>())
                            .put(route.method(), route);
            if (twin != null) {
                throw new IllegalStateException(
                        "two routes " + route.method() + " " + route.path());
            }
        }
        var resources = new HashMap<String, Resource>();
        grouped.forEach((path, byMethod) ->
                resources.put(path, new Resource(path, byMethod, allow(byMethod.keySet()))));
        byPath = Map.copyOf(resources);
        withStar = resources.values().stream().filter(each -> each.path().contains("*")).toList();
        deepest = byPath.keySet().stream().mapToInt(RouteTable::slashes).max().orElse(0);
    }

    static Builder builder() {
        return new Builder();
    }

    /** The resource of a clean path; null when there is none. */
    @Nullable Resource find(String path) {
        Resource exact = byPath.get(path);
        if (exact != null) {
            return exact;
        }
        for (Resource starred : withStar) {
            if (starred.fits(path)) {
                return starred;
            }
        }
        Resource longest = null;
        int slash = path.indexOf('/', 1);
        for (int depth = 2; slash >= 0 && depth <= deepest; depth++) {
            Resource found = byPath.get(path.substring(0, slash + 1));
            if (found != null) {
                longest = found;
            }
            slash = path.indexOf('/', slash + 1);
        }
        return longest;
    }

    /** True when only a slash is missing at the end of the path. */
    boolean lacksSlash(String path) {
        return byPath.containsKey(path + "/");
    }

    List<Route> all() {
        var routes = new ArrayList<Route>();
        byPath.values().forEach(resource -> routes.addAll(resource.byMethod().values()));
        return routes;
    }

    private static String allow(Set<String> methods) {
        var out = new StringBuilder("OPTIONS");
        ORDER.stream().filter(methods::contains).forEach(method -> out.append(',').append(method));
        return out.toString();
    }

    private static int slashes(String path) {
        return (int) path.chars().filter(c -> c == '/').count();
    }

    /** Collects the routes, a door at a time. */
    static final class Builder {
        private final List<Route> routes = new ArrayList<>();

        Builder read(String path, Handler handler, Trait... traits) {
            return add("GET", path, Door.READ, handler, traits);
        }

        Builder write(String method, String path, Handler handler, Trait... traits) {
            return add(method, path, Door.WRITE, handler, traits);
        }

        Builder plain(String method, String path, Handler handler, Trait... traits) {
            return add(method, path, Door.PLAIN, handler, traits);
        }

        Builder stream(String method, String path, StreamHandler handler, Trait... traits) {
            return add(method, path, Door.STREAM, new StreamHandler.InTable(handler), traits);
        }

        Builder live(String path, LiveHandler handler, Trait... traits) {
            return add("GET", path, Door.READ, new LiveHandler.InTable(handler), traits);
        }

        RouteTable build() {
            return new RouteTable(routes);
        }

        private Builder add(
                String method, String path, Door door, Handler handler, Trait... traits) {
            routes.add(new Route(method, path, door, Set.of(traits), handler));
            return this;
        }
    }
}
