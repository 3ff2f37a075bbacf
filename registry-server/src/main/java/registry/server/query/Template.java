package registry.server.query;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.PreparedQuery;
import registry.api.PreparedQuery.Failover;
import registry.api.PreparedQuery.ServiceQuery;
import registry.server.filter.RegexSize;

/**
 * A query that is filled in from the name it is asked under. Whatever a template may hold, filling
 * it in takes linear time and makes at most {@link #MAX_PLACES} copies of the name.
 */
final class Template {
    private static final String REFUSED = "failed compiling template: ";
    private static final int MAX_PLACES = 256;

    private final PreparedQuery query;
    private final @Nullable Pattern pattern;
    private final Map<String, Interpolation> texts;

    private Template(
            PreparedQuery query, @Nullable Pattern pattern, Map<String, Interpolation> texts) {
        this.query = query;
        this.pattern = pattern;
        this.texts = texts;
    }

    /**
     * @throws ApiException with Consul's words when it is no template that could be filled in
     */
    static Template compile(PreparedQuery query) {
        String type = query.template().type();
        if (!type.equals(PreparedQuery.Template.NAME_PREFIX_MATCH)) {
            throw ApiException.refused(REFUSED + "Bad Template.Type '" + type + "'");
        }
        Map<String, Interpolation> texts = new LinkedHashMap<>();
        var places = new AtomicLong();
        walk(
                query.service(),
                (path, text) -> {
                    places.addAndGet(parsed(path, text, texts).places());
                    return text;
                });
        if (places.get() > MAX_PLACES) {
            throw ApiException.refused(
                    REFUSED + "more than " + MAX_PLACES + " places to be filled in");
        }
        return new Template(query, pattern(query.template().regexp()), Map.copyOf(texts));
    }

    private static Interpolation parsed(
            String path, String text, Map<String, Interpolation> texts) {
        try {
            Interpolation parsed = Interpolation.parse(text);
            texts.put(text, parsed);
            return parsed;
        } catch (Interpolation.Fault e) {
            throw ApiException.refused(
                    REFUSED + "Bad format '%s' in Service%s: %s".formatted(text, path, e.text()));
        }
    }

    private static @Nullable Pattern pattern(String regexp) {
        if (regexp.isEmpty()) {
            return null;
        }
        try {
            RegexSize.check(regexp);
            return Pattern.compile(regexp);
        } catch (PatternSyntaxException e) {
            throw ApiException.refused(
                    REFUSED
                            + "Bad Regexp: error parsing regexp: %s: `%s`"
                                    .formatted(e.getDescription(), e.getPattern()));
        }
    }

    /** The query for {@code name}, which begins with the template's in some case. */
    PreparedQuery fill(String name) {
        String prefix = query.name();
        var values =
                new Interpolation.Values(
                        name,
                        prefix,
                        name.substring(Math.min(prefix.length(), name.length())),
                        groups(name));
        ServiceQuery filled =
                walk(
                        query.service(),
                        (path, text) -> {
                            Interpolation ready = texts.get(text);
                            return ready == null ? text : ready.fill(values);
                        });
        return query.withService(
                query.template().removeEmptyTags() ? withoutEmptyTags(filled) : filled);
    }

    private List<String> groups(String name) {
        List<String> groups = new ArrayList<>();
        Matcher matcher = pattern == null ? null : pattern.matcher(name);
        if (matcher != null && matcher.find()) {
            for (int i = 0; i <= matcher.groupCount(); i++) {
                String group = matcher.group(i);
                groups.add(group == null ? "" : group);
            }
        }
        return groups;
    }

    private static ServiceQuery withoutEmptyTags(ServiceQuery s) {
        List<String> tags = s.tags();
        return new ServiceQuery(
                s.service(),
                s.failover(),
                s.onlyPassing(),
                s.ignoreCheckIds(),
                s.near(),
                tags == null ? null : tags.stream().filter(tag -> !tag.isEmpty()).toList(),
                s.nodeMeta(),
                s.serviceMeta(),
                s.connect());
    }

    /** Sees one text of a query and says what is to stand in its place. */
    private interface Visitor {
        /**
         * @param path of the member, as in {@code .Tags[0]}
         */
        String visit(String path, String text);
    }

    private static ServiceQuery walk(ServiceQuery s, Visitor visitor) {
        return new ServiceQuery(
                visitor.visit(".Service", s.service()),
                new Failover(
                        s.failover().nearestN(),
                        walk(".Failover.Datacenters", s.failover().datacenters(), visitor)),
                s.onlyPassing(),
                walk(".IgnoreCheckIDs", s.ignoreCheckIds(), visitor),
                visitor.visit(".Near", s.near()),
                walk(".Tags", s.tags(), visitor),
                walk(".NodeMeta", s.nodeMeta(), visitor),
                walk(".ServiceMeta", s.serviceMeta(), visitor),
                s.connect());
    }

    private static @Nullable List<String> walk(
            String path, @Nullable List<String> texts, Visitor visitor) {
        if (texts == null) {
            return null;
        }
        List<String> walked = new ArrayList<>(texts.size());
        for (String text : texts) {
            walked.add(visitor.visit(path + "[" + walked.size() + "]", text));
        }
        return walked;
    }

    private static @Nullable Map<String, String> walk(
            String path, @Nullable Map<String, String> texts, Visitor visitor) {
        if (texts == null) {
            return null;
        }
        Map<String, String> walked = new TreeMap<>();
        texts.forEach((key, text) -> walked.put(key, visitor.visit(path + "[" + key + "]", text)));
        return walked;
    }
}
