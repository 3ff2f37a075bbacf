package registry.haproxy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import registry.api.HealthCheck;
import registry.api.json.Json;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * One answer of {@code /v1/health/service/NAME}, sifted: what may take traffic, and what was left
 * out. Nothing in an entry is trusted, since whoever may register a service writes it; one bad
 * entry never costs the others.
 */
record HealthAnswer(List<Member> members, List<Skipped> skipped) {
    private static final int MAX_WEIGHT = 256;
    private static final int MAX_NAME = 255;

    /**
     * @throws IOException when the body is no list: then nothing is known
     */
    static HealthAnswer parse(byte[] body, ServiceConfig service, NameResolver names)
            throws IOException {
        JsonNode list;
        try {
            list = Json.mapper().readTree(body);
        } catch (JsonProcessingException e) {
            throw new IOException("the answer is not JSON: " + e.getOriginalMessage());
        }
        if (!list.isArray()) {
            throw new IOException("the answer is not a list");
        }
        Map<Endpoint, Member> members = new HashMap<>();
        List<Skipped> skipped = new ArrayList<>();
        for (JsonNode entry : list) {
            String name =
                    Printable.of(
                            entry.path("Node").path("Node").asText()
                                    + "/"
                                    + entry.path("Service").path("ID").asText());
            try {
                refuseBadNames(entry);
                Optional<Member> member = member(entry, name, service, names);
                if (member.isPresent()) {
                    Member other = members.putIfAbsent(member.get().endpoint(), member.get());
                    if (other != null) {
                        skipped.add(new Skipped(name, "same address and port as " + other.name()));
                    }
                }
            } catch (BadInstance e) {
                skipped.add(new Skipped(name, String.valueOf(e.getMessage())));
            }
        }
        // Answers come in any order; the same set shall always give the same file.
        List<Member> sorted = new ArrayList<>(members.values());
        sorted.sort(Comparator.comparing(Member::name).thenComparing(m -> m.endpoint().toString()));
        return new HealthAnswer(List.copyOf(sorted), List.copyOf(skipped));
    }

    /**
     * Names never reach HAProxy. But who registers a control character or a book for a name means
     * no good, and nobody could name the instance to drain it.
     */
    private static void refuseBadNames(JsonNode entry) throws BadInstance {
        for (JsonNode name :
                List.of(entry.path("Service").path("ID"), entry.path("Node").path("Node"))) {
            String text = name.asText();
            if (text.length() > MAX_NAME) {
                throw new BadInstance("a name of " + text.length() + " characters");
            }
            if (text.codePoints().anyMatch(Character::isISOControl)) {
                throw new BadInstance("a control character in its name");
            }
        }
    }

    /** Empty when the instance is as good as any but may not take traffic now. */
    private static Optional<Member> member(
            JsonNode entry, String name, ServiceConfig service, NameResolver names)
            throws BadInstance {
        if (!hasMeta(entry, service)) {
            return Optional.empty();
        }
        boolean warning = false;
        boolean draining = false;
        for (JsonNode check : entry.path("Checks")) {
            String status = check.path("Status").asText();
            String id = check.path("CheckID").asText();
            if (status.equals(HealthCheck.WARNING)) {
                warning = true;
            } else if (!status.equals(HealthCheck.PASSING)) {
                boolean maintenance =
                        id.equals(HealthCheck.NODE_MAINTENANCE)
                                || id.startsWith(HealthCheck.SERVICE_MAINTENANCE_PREFIX);
                if (!maintenance) {
                    return Optional.empty();
                }
                draining = true;
            }
        }
        if (warning && !service.includeWarning()) {
            return Optional.empty();
        }
        JsonNode instance = entry.path("Service");
        int weight =
                service.useWeights()
                        ? weight(instance.path("Weights").path(warning ? "Warning" : "Passing"))
                        : 1;
        return Optional.of(new Member(endpoint(entry, names), weight, draining, name));
    }

    private static boolean hasMeta(JsonNode entry, ServiceConfig service) {
        JsonNode meta = entry.path("Service").path("Meta");
        return service.selection().meta().entrySet().stream()
                .allMatch(
                        wanted -> meta.path(wanted.getKey()).asText("").equals(wanted.getValue()));
    }

    private static Endpoint endpoint(JsonNode entry, NameResolver names) throws BadInstance {
        JsonNode port = entry.path("Service").path("Port");
        if (!port.isIntegralNumber()
                || !port.canConvertToInt()
                || port.intValue() < 1
                || port.intValue() > 65535) {
            throw new BadInstance(
                    "port " + Printable.of(port.toString()) + " is not between 1 and 65535");
        }
        String text = entry.path("Service").path("Address").asText();
        if (text.isEmpty()) {
            text = entry.path("Node").path("Address").asText();
        }
        Optional<InetAddress> address = Endpoint.parseAddress(text);
        if (address.isEmpty()) {
            address = names.resolve(text);
        }
        if (address.isEmpty()) {
            String hint = names.isAllowed() ? " and no name that resolves" : "";
            throw new BadInstance(
                    "address " + Printable.quoted(text) + " is not an IP address" + hint);
        }
        // 0.0.0.0 would send each request to the address its client had asked for.
        if (address.get().isAnyLocalAddress() || address.get().isMulticastAddress()) {
            throw new BadInstance(
                    "address " + address.get().getHostAddress() + " is not that of one host");
        }
        var endpoint = new Endpoint(address.get(), port.intValue());
        if (endpoint.equals(Endpoint.UNUSED)) {
            throw new BadInstance(endpoint + " marks an unused server");
        }
        return endpoint;
    }

    private static int weight(JsonNode weight) {
        return weight.isIntegralNumber() && weight.canConvertToInt()
                ? Math.clamp(weight.intValue(), 0, MAX_WEIGHT)
                : 1;
    }

    private static final class BadInstance extends Exception {
        private static final long serialVersionUID = 1L;

        BadInstance(String why) {
            super(why, null, false, false);
        }
    }
}
