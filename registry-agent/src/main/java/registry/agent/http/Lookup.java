package registry.agent.http;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.api.ApiException;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * Puts questions to the servers and makes answers of their replies: consistency, blocking and the
 * {@code X-Consul} lines are dealt with here, for all routes that read.
 */
final class Lookup {
    private static final int MAX_CACHED = 4096;

    /** What {@code near} calls the node that was asked. */
    private static final String OWN_NODE = "_agent";

    private static final Header LEADER_KNOWN = new Header("X-Consul-Knownleader", "true");
    private static final Header LEADER_UNKNOWN = new Header("X-Consul-Knownleader", "false");
    private static final Header NO_DELAY = new Header("X-Consul-Lastcontact", "0");

    /** What Consul says when a read fails before it has an index. */
    static final List<Header> NO_INDEX =
            List.of(new Header("X-Consul-Index", "1"), LEADER_UNKNOWN, NO_DELAY);

    private final Servers servers;
    private final AgentConfig config;

    /**
     * Questions asked with {@code ?cached} before: the answer is always fresh, but its headers are
     * those of a cache.
     */
    private final Map<String, Boolean> cached = new ConcurrentHashMap<>();

    Lookup(Servers servers, AgentConfig config) {
        this.servers = servers;
        this.config = config;
    }

    /**
     * How a kind of read differs from the others.
     *
     * @param discovery of catalogue or health: its answers say how consistent they are
     * @param cacheable {@code ?cached} is answered with the lines of a cache
     * @param indexOnError failures carry the lines of {@link #NO_INDEX}
     */
    record Kind(boolean discovery, boolean cacheable, boolean indexOnError) {}

    /**
     * What is asked.
     *
     * @param method a constant of {@link Question}
     * @param params those that the method reads, without {@code pretty}
     * @param shape turns a found reply's answer into the final one
     */
    record Wanted(
            String method,
            String name,
            Map<String, List<String>> params,
            Function<Answer, Answer> shape) {
        Wanted(String method, String name, Map<String, List<String>> params) {
            this(method, name, params, Function.identity());
        }
    }

    /** A handler that asks what {@code wanted} makes of a request; it never blocks. */
    Handler handler(Kind kind, Function<Request, Wanted> wanted) {
        return new Handler() {
            @Override
            public Servers.@Nullable Held handle(Request request, Consumer<Answer> then) {
                return ask(kind, wanted, request, then);
            }

            @Override
            public Position position() {
                return Position.INDEX;
            }
        };
    }

    private Servers.@Nullable Held ask(
            Kind kind, Function<Request, Wanted> wanted, Request request, Consumer<Answer> then) {
        ReadOptions options = ReadOptions.of(request, config, kind.discovery());
        Wanted what = wanted.apply(request);
        if (!isOurs(request.query().first("dc"))) {
            Answer error = Answer.text(500, "No path to datacenter");
            then.accept(kind.indexOnError() ? error.withAll(NO_INDEX) : error);
            return null;
        }
        var question =
                new Question(
                        what.method(),
                        what.name(),
                        paramsOf(what, request),
                        options.consistency(),
                        options.minIndex(),
                        options.maxWait());
        List<Header> cacheLines =
                kind.cacheable() && options.cached() ? cacheLines(question) : List.of();
        return servers.ask(
                question,
                new Reading(
                        kind,
                        options.maxStale(),
                        options.effective(),
                        question,
                        what.shape(),
                        cacheLines,
                        then));
    }

    /** True for no datacenter and for this one. */
    boolean isOurs(String datacenter) {
        return datacenter.isEmpty() || datacenter.equals(config.datacenter());
    }

    private Map<String, List<String>> paramsOf(Wanted what, Request request) {
        boolean nearHere = List.of(OWN_NODE).equals(what.params().get("near"));
        if (!request.pretty() && !nearHere) {
            return what.params();
        }
        var params = new TreeMap<>(what.params());
        if (nearHere) {
            params.put("near", List.of(config.nodeName()));
        }
        if (request.pretty()) {
            params.put("pretty", List.of(""));
        }
        return params;
    }

    private List<Header> cacheLines(Question question) {
        if (cached.size() >= MAX_CACHED) {
            cached.clear();
        }
        String key = question.method() + ' ' + question.name() + ' ' + question.params();
        boolean hit = cached.put(key, true) != null;
        return hit
                ? List.of(new Header("X-Cache", "HIT"), new Header("Age", "0"))
                : List.of(new Header("X-Cache", "MISS"));
    }

    /** Waits for the reply to one question; keeps what it needs for that and no more. */
    private final class Reading implements Servers.Listener {
        private final Kind kind;
        private final Duration maxStale;
        private final String effective;
        private final Question question;
        private final Function<Answer, Answer> shape;
        private final List<Header> cacheLines;
        private final Consumer<Answer> then;

        Reading(
                Kind kind,
                Duration maxStale,
                String effective,
                Question question,
                Function<Answer, Answer> shape,
                List<Header> cacheLines,
                Consumer<Answer> then) {
            this.kind = kind;
            this.maxStale = maxStale;
            this.effective = effective;
            this.question = question;
            this.shape = shape;
            this.cacheLines = cacheLines;
            this.then = then;
        }

        @Override
        public void answered(Reply reply) {
            if (maxStale.isPositive()
                    && question.consistency() == Consistency.STALE
                    && reply.lastContactMillis() > maxStale.toMillis()) {
                askTheLeader();
                return;
            }
            List<Header> lines = linesOf(reply);
            then.accept(
                    reply.found()
                            ? shape.apply(Answer.json(reply.body())).withAll(lines)
                            : Answer.empty(404).withAll(lines));
        }

        @Override
        public void failed(ApiException error) {
            Answer answer = Answer.of(error);
            // What is not there has no index either.
            boolean index = kind.indexOnError() && error.kind() != ApiException.Kind.NOT_FOUND;
            then.accept(index ? answer.withAll(NO_INDEX) : answer);
        }

        /** The reply was older than the client allows. */
        private void askTheLeader() {
            var again =
                    new Question(
                            question.method(),
                            question.name(),
                            question.params(),
                            Consistency.DEFAULT,
                            0,
                            Duration.ZERO);
            servers.ask(
                    again, new Reading(kind, maxStale, effective, again, shape, cacheLines, then));
        }

        private List<Header> linesOf(Reply reply) {
            var lines = new ArrayList<Header>(6);
            lines.add(new Header("X-Consul-Index", Long.toString(Math.max(1, reply.index()))));
            lines.add(reply.knownLeader() ? LEADER_KNOWN : LEADER_UNKNOWN);
            lines.add(
                    reply.lastContactMillis() == 0
                            ? NO_DELAY
                            : new Header(
                                    "X-Consul-Lastcontact",
                                    Long.toString(reply.lastContactMillis())));
            if (kind.discovery()) {
                lines.add(new Header("X-Consul-Effective-Consistency", effective));
            }
            lines.addAll(cacheLines);
            return lines;
        }
    }
}
