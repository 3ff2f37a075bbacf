package registry.agent.http;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.api.ApiException;
import registry.api.json.GoDuration;
import registry.server.rpc.Consistency;

/**
 * How fresh an answer has to be and how long it may be held. Source: consul-api 2.1, 2.2
 *
 * @param maxStale of a stale answer; zero for any age
 * @param cached the client would take an answer from the agent's cache
 * @param minIndex 0 answers at once
 * @param maxWait jitter included
 */
record ReadOptions(
        Consistency consistency,
        Duration maxStale,
        boolean cached,
        long minIndex,
        Duration maxWait) {

    /** The word of {@code X-Consul-Effective-Consistency}. */
    String effective() {
        return switch (consistency) {
            case DEFAULT -> "leader";
            case CONSISTENT -> "consistent";
            case STALE -> "stale";
        };
    }

    /**
     * @param discovery a read of catalogue or health, which {@code discovery_max_stale} makes stale
     *     when nothing else is asked
     * @throws ApiException with Consul's text when parameters are wrong or contradict each other
     */
    static ReadOptions of(Request request, AgentConfig config, boolean discovery) {
        QueryString query = request.query();
        boolean stale = query.has("stale");
        boolean consistent = query.has("consistent");
        boolean cached = query.has("cached") && config.http().useCache();
        boolean chosen = stale || consistent || cached || query.has("leader");
        Duration maxStale = Duration.ZERO;
        String maxStaleText = query.first("max_stale");
        if (!maxStaleText.isEmpty()) {
            Duration parsed = duration(maxStaleText);
            if (parsed == null) {
                throw ApiException.badRequest("Invalid max_stale value \"" + maxStaleText + "\"");
            }
            if (parsed.isPositive()) {
                maxStale = parsed;
                stale = true;
                chosen = true;
            }
        }
        if (!chosen && discovery && config.discoveryMaxStale().isPositive()) {
            maxStale = config.discoveryMaxStale();
            stale = true;
        }
        if (stale && consistent) {
            throw conflict("stale");
        }
        if (cached && consistent) {
            throw conflict("cached");
        }
        checkCacheControl(request.header("Cache-Control"));
        Duration wait = waitOf(query.first("wait"));
        long index = indexOf(query.first("index"));
        var consistency =
                consistent
                        ? Consistency.CONSISTENT
                        : stale ? Consistency.STALE : Consistency.DEFAULT;
        return new ReadOptions(
                consistency,
                maxStale,
                cached,
                index,
                index == 0
                        ? Duration.ZERO
                        : hold(wait, config.defaultQueryTime(), config.maxQueryTime()));
    }

    private static ApiException conflict(String word) {
        return ApiException.badRequest(
                "Cannot specify ?" + word + " with ?consistent, conflicting semantics.");
    }

    /** What {@code wait} asks for; zero when it is absent. */
    static Duration waitOf(String text) {
        Duration wait = text.isEmpty() ? Duration.ZERO : duration(text);
        if (wait == null) {
            throw ApiException.badRequest("Invalid wait time");
        }
        return wait;
    }

    /**
     * The hold for a wish: a default in the place of none, at most the limit, and up to a 16th more
     * so that not all come back at once.
     */
    static Duration hold(Duration wish, Duration usual, Duration limit) {
        Duration wait = wish.isPositive() ? wish : usual;
        if (wait.compareTo(limit) > 0) {
            wait = limit;
        }
        return wait.plusNanos(ThreadLocalRandom.current().nextLong(wait.toNanos() / 16 + 1));
    }

    private static long indexOf(String text) {
        if (text.isEmpty()) {
            return 0;
        }
        try {
            if (text.charAt(0) != '-' && text.charAt(0) != '+') {
                // Above the signed range no index will ever be: such a request waits, as any from
                // the future.
                long index = Long.parseUnsignedLong(text);
                return index < 0 ? Long.MAX_VALUE : index;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw ApiException.badRequest("Invalid index");
    }

    private static void checkCacheControl(@Nullable String header) {
        if (header == null) {
            return;
        }
        for (String directive : header.toLowerCase(Locale.ROOT).split(",", -1)) {
            String word = directive.strip();
            for (String name : new String[] {"max-age=", "stale-if-error="}) {
                if (word.startsWith(name) && !isSeconds(word.substring(name.length()))) {
                    throw ApiException.badRequest("Invalid Cache-Control header.");
                }
            }
        }
    }

    private static boolean isSeconds(String text) {
        return !text.isEmpty()
                && text.length() < 10
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static @Nullable Duration duration(String text) {
        try {
            return GoDuration.parse(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
