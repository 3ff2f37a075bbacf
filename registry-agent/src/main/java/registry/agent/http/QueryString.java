package registry.agent.http;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a URL, in their order; a name may come more than once, a flag has the value "".
 */
final class QueryString {
    static final QueryString EMPTY = new QueryString(List.of());

    /** Name, value, name, value, … */
    private final List<String> pairs;

    private QueryString(List<String> pairs) {
        this.pairs = pairs;
    }

    /**
     * The parameters of the text behind the question mark; null when its percent-encoding is
     * broken.
     */
    static @Nullable QueryString parse(@Nullable String raw) {
        if (raw == null || raw.isEmpty()) {
            return EMPTY;
        }
        var pairs = new ArrayList<String>(8);
        int at = 0;
        while (at <= raw.length()) {
            int end = raw.indexOf('&', at);
            if (end < 0) {
                end = raw.length();
            }
            if (end > at) {
                int equals = raw.indexOf('=', at);
                boolean flag = equals < 0 || equals > end;
                String name = UrlText.decodeQuery(raw.substring(at, flag ? end : equals));
                String value = flag ? "" : UrlText.decodeQuery(raw.substring(equals + 1, end));
                if (name == null || value == null) {
                    return null;
                }
                pairs.add(name);
                pairs.add(value);
            }
            at = end + 1;
        }
        return new QueryString(pairs);
    }

    boolean has(String name) {
        return find(name) >= 0;
    }

    /** The first value of a parameter; empty text when it is absent. */
    String first(String name) {
        int at = find(name);
        return at < 0 ? "" : pairs.get(at + 1);
    }

    /** All values of a parameter; empty when it is absent. */
    List<String> all(String name) {
        if (find(name) < 0) {
            return List.of();
        }
        var values = new ArrayList<String>();
        for (int at = 0; at < pairs.size(); at += 2) {
            if (pairs.get(at).equals(name)) {
                values.add(pairs.get(at + 1));
            }
        }
        return List.copyOf(values);
    }

    /** The same parameters but for some. */
    QueryString without(String... names) {
        var left = new ArrayList<String>(pairs.size());
        for (int at = 0; at < pairs.size(); at += 2) {
            if (!List.of(names).contains(pairs.get(at))) {
                left.addAll(pairs.subList(at, at + 2));
            }
        }
        return new QueryString(left);
    }

    /** The same parameters and one more. */
    QueryString with(String name, String value) {
        var more = new ArrayList<String>(pairs.size() + 2);
        more.addAll(pairs);
        more.add(name);
        more.add(value);
        return new QueryString(more);
    }

    /**
     * All parameters, sorted by name and encoded, as messages quote them: {@code acquire=x&cas=1}.
     */
    String encoded() {
        var sorted = new TreeMap<String, List<String>>();
        for (int at = 0; at < pairs.size(); at += 2) {
            sorted.computeIfAbsent(pairs.get(at), name -> new ArrayList<>()).add(pairs.get(at + 1));
        }
        var out = new StringBuilder();
        sorted.forEach((name, values) -> {
            for (String value : values) {
                out.append(out.isEmpty() ? "" : "&")
                        .append(UrlText.encodeQuery(name))
                        .append('=')
                        .append(UrlText.encodeQuery(value));
            }
        });
        return out.toString();
    }

    private int find(String name) {
        for (int at = 0; at < pairs.size(); at += 2) {
            if (pairs.get(at).equals(name)) {
                return at;
            }
        }
        return -1;
    }
}
